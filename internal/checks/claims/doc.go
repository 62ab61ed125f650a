// Package claims holds the checks of the stage claims: what tokens and introspection say of a partner, to whom, and that
// everybody calls it by one name. Start with [SameIdentityEverywhere] and [NeighbourIntrospects].
package claims
