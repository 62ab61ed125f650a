package forge

import (
	"errors"
	"net/url"
	"strings"

	"github.com/checkride/checkride/internal/wire"
)

// CredentialsInQuery moves the client id and the credentials that stand in the form of a request into its query (RFC 6749 §2.3.1: they MUST
// NOT be included in the request URI).
func CredentialsInQuery() wire.Change {
	const name = "id and credential in the query"
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		if !toQuery(&r) {
			return r, errors.New(name + ": the request carries none in its form; give one of a client that does")
		}
		for _, field := range r.Form {
			if field.Name == "client_id" {
				r.Target += mark(r.Target) + "client_id=" + url.QueryEscape(field.Value)
			}
		}
		return r.WithoutForm("client_id"), nil
	}}
}

// AllInQuery sends a form as the query of a request with another method, credentials of the form included: GET /token?...
func AllInQuery(method string) wire.Change {
	return wire.Change{Name: method + " with the parameters in the query", Apply: func(r wire.Request) (wire.Request, error) {
		toQuery(&r)
		for _, field := range r.Form {
			r.Target += mark(r.Target) + url.QueryEscape(field.Name) + "=" + url.QueryEscape(field.Value)
		}
		r.Method, r.Form = method, nil
		return r.WithoutHeader("Content-Type"), nil
	}}
}

func mark(target string) string {
	if strings.Contains(target, "?") {
		return "&"
	}
	return "?"
}

func toQuery(r *wire.Request) bool {
	moved := false
	for i := range r.Credentials {
		if r.Credentials[i].In == wire.InForm {
			r.Credentials[i].In, moved = wire.InQuery, true
		}
	}
	return moved
}
