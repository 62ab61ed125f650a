// Package issue holds the checks of the stage issue: what a token may do, how long it lives and when there is none. Start
// with [ScopeBeyondEntitlement] and [TokenLifetime].
package issue
