package wire

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // registers the hashes that RFC 7518 §3.1 names
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"
)

const defaultLife = time.Minute

// make writes the token in the compact serialization (RFC 7515 §3.1), members sorted by name. Bound are the claims that
// tie a DPoP proof to its request.
func (j *JWT) make(now time.Time, bound map[string]any) (string, error) {
	claims, err := compact(j.fill(now.Add(j.Clock), bound))
	if err != nil {
		return "", fmt.Errorf("jwt claims: %w", err)
	}
	return j.over(claims)
}

// over signs any payload (RFC 7515 §5.1).
func (j *JWT) over(payload []byte) (string, error) {
	header, err := segment(j.Header)
	if err != nil {
		return "", fmt.Errorf("jwt header: %w", err)
	}
	input := header + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := j.sign([]byte(input))
	if err != nil {
		return "", fmt.Errorf("sign jwt: %w", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// fill adds the claims that are made anew for each sending; now is in the reader's time.
func (j *JWT) fill(now time.Time, bound map[string]any) map[string]any {
	claims := map[string]any{}
	maps.Copy(claims, j.Claims)
	for name, value := range claims {
		if offset, relative := value.(FromNow); relative {
			claims[name] = now.Add(time.Duration(offset)).Unix()
		}
	}
	life := or(j.Life, defaultLife)
	fresh := map[string]any{"jti": randomID(), "iat": now.Unix()}
	if j.Request {
		fresh["jti"] = randomUUID()
	}
	if j.Proof {
		maps.Copy(fresh, bound)
	} else {
		fresh["exp"] = now.Add(life).Unix()
	}
	for name, value := range fresh {
		if _, given := claims[name]; !given && !slices.Contains(j.Omit, name) {
			claims[name] = value
		}
	}
	return claims
}

// kind is what the token is called in records and differences.
func (j *JWT) kind() string {
	if j.Proof {
		return "proof"
	}
	if j.Statement {
		return "statement"
	}
	if j.Request {
		return "request"
	}
	return "assertion"
}

func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// randomUUID is one of version 4, in capitals: some profiles have the jti of a request in this form alone.
func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func segment(members map[string]any) (string, error) {
	if members == nil {
		members = map[string]any{}
	}
	text, err := compact(members)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// compact is JSON with sorted members and without HTML escapes.
func compact(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func (j *JWT) sign(input []byte) ([]byte, error) {
	if j.Sign != nil {
		return j.Sign(input)
	}
	if j.Key == nil {
		return nil, nil
	}
	alg, _ := j.Header["alg"].(string)
	if alg == "EdDSA" || alg == "Ed25519" { // RFC 8037 §3.1, RFC 9864 §2.2
		if _, is := j.Key.Public().(ed25519.PublicKey); !is {
			return nil, fmt.Errorf("alg %s needs an Ed25519 key, not %T", alg, j.Key.Public())
		}
		return j.Key.Sign(rand.Reader, input, crypto.Hash(0))
	}
	if len(alg) != 5 {
		return nil, fmt.Errorf("alg %q is not one that a key signs with: give Sign", alg)
	}
	hash, known := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	if !known {
		return nil, fmt.Errorf("alg %q has no known hash: give Sign", alg)
	}
	digest := hash.New()
	digest.Write(input)
	sum := digest.Sum(nil)
	switch public := j.Key.Public().(type) {
	case *rsa.PublicKey:
		switch alg[:2] {
		case "PS":
			return j.Key.Sign(rand.Reader, sum, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash})
		case "RS":
			return j.Key.Sign(rand.Reader, sum, hash)
		}
	case *ecdsa.PublicKey:
		if alg[:2] == "ES" {
			return signECDSA(j.Key, sum, hash, (public.Curve.Params().BitSize+7)/8)
		}
	}
	return nil, fmt.Errorf("alg %s does not fit a %T", alg, j.Key.Public())
}

// signECDSA turns the signer's ASN.1 into R || S (RFC 7518 §3.4).
func signECDSA(key crypto.Signer, sum []byte, hash crypto.Hash, size int) ([]byte, error) {
	der, err := key.Sign(rand.Reader, sum, hash)
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &pair)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, errors.New("the signer gave bytes after the signature")
	}
	signature := make([]byte, 2*size)
	pair.R.FillBytes(signature[:size])
	pair.S.FillBytes(signature[size:])
	return signature, nil
}
