// Package authenticate holds the checks of the stage authenticate: who is no partner, or proves it badly, gets no token.
// Start with [WrongSecret] and [AssertionForged].
package authenticate
