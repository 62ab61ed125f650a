// Package bind holds the checks of the stage bind: a token that is bound to a client certificate opens nothing without it.
// Start with [WithoutItsCertificate] and [WarmCache].
package bind
