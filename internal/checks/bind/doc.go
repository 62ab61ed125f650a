// Package bind holds the checks of the stage bind: a token that is bound to a client certificate opens nothing without it.
package bind
