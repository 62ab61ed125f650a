package chain_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/sandbox/ca"
	"github.com/checkride/checkride/internal/sandbox/chain"
)

// What is remembered of a chain opens nothing that looking at it again would not: neither later, nor for another use.
func TestVerifyIsNoLaxerForWhatItKnows(t *testing.T) {
	t.Parallel()
	now := time.Now()
	partners, err := ca.New("partners", now)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ca.New("partners", now) // the same name, another key
	if err != nil {
		t.Fatal(err)
	}
	good, err := partners.Client("good", ca.Options{NotAfter: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Client("good", ca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := chain.New(partners.Pool())
	for range 2 { // the second time from memory
		for _, row := range []struct {
			name  string
			leaf  *x509.Certificate
			usage x509.ExtKeyUsage
			at    time.Time
			good  bool
		}{
			{"good", good.Leaf, x509.ExtKeyUsageClientAuth, now, true},
			{"for any use", good.Leaf, x509.ExtKeyUsageAny, now, true},
			{"for a server", good.Leaf, x509.ExtKeyUsageServerAuth, now, false},
			{"over", good.Leaf, x509.ExtKeyUsageClientAuth, now.Add(2 * time.Hour), false},
			{"not yet", good.Leaf, x509.ExtKeyUsageClientAuth, now.Add(-2 * time.Hour), false},
			{"of another CA", foreign.Leaf, x509.ExtKeyUsageClientAuth, now, false},
		} {
			err := v.Verify(row.leaf, nil, row.usage, row.at)
			if (err == nil) != row.good {
				t.Errorf("%s: %v", row.name, err)
			}
		}
	}
}
