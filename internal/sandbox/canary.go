package sandbox

import (
	"encoding/pem"
	"fmt"
	"net"

	"github.com/checkride/checkride/internal/sandbox/ca"
)

// canary is what a tester needs to listen to the sandbox: an address in its network, and a certificate that its
// components trust.
type canary struct {
	address    string
	chain, key []byte
}

// makeCanary names an address for the tester's listener. On an in-memory network it is a host of its own; on loopback the
// system chooses the port.
func (s *Sandbox) makeCanary() error {
	host, _, err := net.SplitHostPort(s.addresses[mainAS])
	if err != nil {
		return fmt.Errorf("address of %s: %w", mainAS, err)
	}
	address := net.JoinHostPort(host, "0")
	if net.ParseIP(host) == nil {
		host = "canary.sandbox.test"
		address = host + ":443"
	}
	certificate, err := s.hosts.Server(0, host)
	if err != nil {
		return err
	}
	key, err := ca.KeyPEM(certificate.PrivateKey)
	if err != nil {
		return err
	}
	s.canary = canary{address: address, chain: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Leaf.Raw}), key: key}
	return nil
}
