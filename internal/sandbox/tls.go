package sandbox

import "crypto/tls"

// weakened gives a component's TLS as a defect has it; nil where it is as it was configured.
func (s *Sandbox) weakened(name string, config *tls.Config) *tls.Config {
	d := s.live()
	if name == gatewayOne && d.OldTLS {
		old := config.Clone()
		old.MinVersion = tls.VersionTLS10
		return old
	}
	if name == legacyOne && d.RC4 {
		old := config.Clone()
		old.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}
		return old
	}
	return nil
}
