package plan

// Canary is a listener of the ride's own, at an address that the stack can reach. It speaks HTTP with TLS and without.
type Canary struct {
	Listen string    `yaml:"listen" need:"yes" is:"listen" doc:"Where the ride listens, as host:port; with port 0 the system chooses one." example:"0.0.0.0:8443"`
	URL    string    `yaml:"url" is:"own" doc:"Where the stack reaches it: scheme, host and port; absent: https and the address that it listens at." example:"https://tester.example:8443"`
	Cert   Reference `yaml:"cert" is:"pem" doc:"A certificate for that host that the stack trusts, as PEM; absent: a self-signed one, which a careful stack refuses before it says what it wants." example:"file:canary.pem"`
	Key    Reference `yaml:"key" is:"secret" doc:"The certificate's private key as PEM, by reference." example:"file:canary.key"`
}

func (r *rules) canary() {
	c := r.plan.Canary
	if c == nil {
		return
	}
	if c.Cert.Empty() != c.Key.Empty() {
		r.wrong("canary", "the canary has a certificate without its key, or a key without its certificate", "add both `cert: file:PATH` and `key: file:PATH`, or neither")
	}
}
