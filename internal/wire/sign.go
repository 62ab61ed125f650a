package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// mostSigned bounds how many header fields a signer may add.
const mostSigned = 32

// signed adds to a header what signers make of the request as it is sent. All that they give is kept as a secret: which of
// it lets somebody in nobody knows here.
func (w *Wire) signed(r Request, url string, header []part, body []byte) ([]part, error) {
	for _, c := range r.Credentials {
		if c.Sign == nil {
			continue
		}
		sum := sha256.Sum256(body)
		told := Signing{Method: r.Method, URL: url, Digest: "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"}
		for _, p := range header {
			told.Header = append(told.Header, Field{p.name, p.value})
		}
		fields, err := c.Sign(told)
		if err != nil {
			return nil, fmt.Errorf("signature by %s: %w", c.Signer, err)
		}
		if len(fields) == 0 || len(fields) > mostSigned {
			return nil, fmt.Errorf("signature by %s: it gives %d header fields: let it give 1 to %d", c.Signer, len(fields), mostSigned)
		}
		for _, f := range fields {
			if framing(f.Name) {
				return nil, fmt.Errorf("signature by %s: it gives the header %s, which frames the request: let it give others", c.Signer, f.Name)
			}
			kept := w.config.Keeper.Keep("signature", f.Value)
			header = append(header, part{f.Name, f.Value, kept.String()})
		}
	}
	return header, nil
}

func framing(name string) bool {
	return is(name, "Host") || is(name, "Connection") || is(name, "Content-Length") || is(name, "Transfer-Encoding")
}
