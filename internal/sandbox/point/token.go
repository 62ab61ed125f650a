package point

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// b64token says whether a text is one: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" (RFC 6750 §2.1).
func b64token(text string) bool {
	body := strings.TrimRight(text, "=")
	return body != "" && strings.Trim(body, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/") == ""
}

// NoCredential is the refusal of a request that brings none.
func NoCredential() *Refusal {
	return &Refusal{Status: http.StatusUnauthorized, Reason: "no credential"}
}

// Bearer is the token of the Authorization field (RFC 6750 §2.1). More than one such field, another scheme and
// anything but a b64token are refused.
func Bearer(r *http.Request) (string, *Refusal) {
	fields := r.Header["Authorization"]
	if len(fields) == 0 {
		return "", NoCredential()
	}
	if len(fields) > 1 {
		return "", Invalid(Grant{}, "more than one Authorization field")
	}
	scheme, token, _ := strings.Cut(fields[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", Invalid(Grant{}, "not a bearer token")
	}
	if !b64token(token) {
		return "", Invalid(Grant{}, "malformed bearer token")
	}
	return token, nil
}

// Claims are what a JWT access token (RFC 9068) or an introspection response (RFC 7662) says.
type Claims struct {
	Active    bool     `json:"active"`
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	ClientID  string   `json:"client_id"`
	Org       string   `json:"org"`
	Scope     *string  `json:"scope"`
	Roles     []string `json:"roles"`
	Audience  Strings  `json:"aud"`
	Expiry    *float64 `json:"exp"`
	NotBefore *float64 `json:"nbf"`
	ID        string   `json:"jti"`
	PerSecond int      `json:"requests_per_second"`
	Confirm   struct {
		Thumbprint string `json:"x5t#S256"`
		ProofKey   string `json:"jkt"`
	} `json:"cnf"`
}

// Strings is a string or a list of strings, as aud may be (RFC 7519 §4.1.3).
type Strings []string

// UnmarshalJSON takes both forms.
func (s *Strings) UnmarshalJSON(text []byte) error {
	var one string
	err := json.Unmarshal(text, &one)
	if err == nil {
		*s = Strings{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(s))
}

// Grant is what the claims allow.
func (c Claims) Grant() Grant {
	g := Grant{ClientID: c.ClientID, Org: c.Org, TokenID: c.ID, Scope: c.Scope, Roles: c.Roles, Thumbprint: c.Confirm.Thumbprint, ProofKey: c.Confirm.ProofKey, Audience: c.Audience, PerSecond: c.PerSecond}
	if g.ClientID == "" {
		g.ClientID = c.Subject
	}
	return g
}

// ExpiresAt is exp, or the zero time when there is none.
func (c Claims) ExpiresAt() time.Time { return numericDate(c.Expiry) }

// StartsAt is nbf, or the zero time when there is none.
func (c Claims) StartsAt() time.Time { return numericDate(c.NotBefore) }

func numericDate(seconds *float64) time.Time {
	if seconds == nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(*seconds * 1000))
}

// Unproven takes the claims of a JWT for true, as the defect FailsOpen does.
func Unproven(token string) (Claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Claims{}, errors.New("no JWT")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return Claims{}, err
	}
	c := Claims{}
	err = json.Unmarshal(text, &c)
	c.Active = true
	return c, err
}

// Claimed is whom an unproven token claims to be for: denied calls must be explained too.
func Claimed(token string) Grant {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Grant{}
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return Grant{}
	}
	var c Claims
	err = json.Unmarshal(text, &c)
	if err != nil {
		return Grant{}
	}
	g := c.Grant()
	return Grant{ClientID: short(g.ClientID), Org: short(g.Org), TokenID: short(g.TokenID)}
}

// short keeps strangers from filling the log.
func short(text string) string {
	if len(text) > 128 {
		return text[:128]
	}
	return text
}

func claimedBy(r *http.Request) Grant {
	shown, refusal := Authorized(r)
	if refusal != nil {
		return Grant{}
	}
	return Claimed(shown.Token)
}

// Bound tells why the grant is not bound to the presented certificate, or nil (RFC 8705 §3: the access token must be
// rejected if the certificate does not match).
func Bound(g Grant, presented string) *Refusal {
	switch {
	case g.Thumbprint == "":
		return Invalid(g, "token is not bound to a certificate")
	case presented == "":
		return Invalid(g, "no client certificate for a bound token")
	case g.Thumbprint != presented:
		return Invalid(g, "token is bound to another certificate")
	}
	return nil
}
