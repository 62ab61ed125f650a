package cast

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
)

// Held is one credential of a member, to be compared with others' and not to be used. Two of them are the same
// credential if and only if their Same are equal.
type Held struct {
	Kind string // secret, key, key of the certificate, API key
	Same any
}

// Holds lists what proves a member to others: its secret, its keys and its API key.
func (m *Member) Holds() ([]Held, error) {
	client := m.Client()
	var held []Held
	if !client.Secret.Empty() {
		held = append(held, Held{"secret", client.Secret})
	}
	if client.Key.Signer != nil {
		held = append(held, publicKey("key", client.Key.Signer.Public()))
	}
	if certificate := client.Certificate; certificate != nil && certificate.Leaf != nil {
		held = append(held, publicKey("key of the certificate", certificate.Leaf.PublicKey))
	}
	if reference := m.Plan.APIKey; !reference.Empty() {
		key, err := m.cast.cfg.Resolver.Secret(reference, "api key")
		if err != nil {
			return nil, &FactError{Fact: "the API key of " + m.Role, Err: err}
		}
		held = append(held, Held{"API key", key})
	}
	return held, nil
}

func publicKey(kind string, key crypto.PublicKey) Held {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil { // of a kind that cannot be written down: it is compared with nothing
		return Held{kind, new(byte)}
	}
	return Held{kind, sha256.Sum256(der)}
}
