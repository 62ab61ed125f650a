package prove

import (
	"strings"
	"sync"

	"github.com/checkride/checkride/internal/oauth"
)

// newKey makes keys as a ride does, but for RSA: one pair serves all rides of a proof, since hundreds of them would spend
// minutes on looking for primes.
func newKey(alg string) (oauth.Key, error) {
	if !strings.HasPrefix(alg, "RS") && !strings.HasPrefix(alg, "PS") {
		return oauth.NewKey(alg)
	}
	pair, err := rsaPair()
	if err != nil {
		return oauth.Key{}, err
	}
	return oauth.Key{ID: pair.ID, Alg: alg, Signer: pair.Signer}, nil
}

var rsaPair = sync.OnceValues(func() (oauth.Key, error) { return oauth.NewKey("PS256") })
