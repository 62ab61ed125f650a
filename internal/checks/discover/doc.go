// Package discover holds the checks of the stage discover: what an authorization server says of itself is true and gives
// nothing away. Start with [IssuerIsItself] and [PublishedKeysArePublic].
package discover
