// Package expire holds the checks of the stage expire: what was given for a time ends with it. Start with
// [TokenPastExpiry].
package expire
