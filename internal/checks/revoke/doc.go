// Package revoke holds the checks of the stage revoke: what is taken back is gone, within the agreed time, and nobody else
// can take it. Start with [TokenOutlivesRevocation] and [NotRevocable].
package revoke
