// Package audit holds the checks of the stage audit: whether the logs can explain afterwards what happened, and keep
// secrets out. Start with [StepsLogged].
package audit
