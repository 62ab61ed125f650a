package oauth

// What an answer means, by kind of endpoint. "Refused" is a set that differs from one endpoint to the next.

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/checkride/checkride/internal/wire"
)

// TokenDecision judges an answer of the token endpoint. Accepted is an access token in a 2xx: whoever got a token got
// in, whatever the exact status. Denied is 400 with a legal error (RFC 6749 §5.2 and its extensions), 401, and 405 for what is no POST (§3.2).
func TokenDecision(x wire.Exchange) (wire.Decision, string) {
	if d, why, done := transport(x); done {
		return d, why
	}
	m, _, err := answered(x)
	token := err == nil && text(m["access_token"]) != ""
	switch {
	case x.Status/100 == 2 && token:
		return wire.Accepted, fmt.Sprintf("%d with an access token", x.Status)
	case token:
		return wire.Unknown, fmt.Sprintf("%d that carries an access token", x.Status)
	case x.Status/100 == 2 && legal(text(m["error"]), tokenErrors):
		return wire.Odd, fmt.Sprintf("%d with error %s", x.Status, text(m["error"]))
	case x.Status/100 == 2:
		return wire.Unknown, fmt.Sprintf("%d without an access token", x.Status)
	case x.Status == http.StatusBadRequest && legal(text(m["error"]), tokenErrors):
		return wire.Denied, "400 " + text(m["error"])
	case x.Status == http.StatusUnauthorized, x.Status == http.StatusMethodNotAllowed && x.Request.Method != http.MethodPost:
		return wire.Denied, withCode(x)
	}
	return otherwise(x)
}

// RegistrationDecision judges an answer of the registration endpoint. Denied is 400 with a code of RFC 7591 §3.2.2, and
// 401 or 403 for a bad initial access token (RFC 6750 §3.1).
func RegistrationDecision(x wire.Exchange) (wire.Decision, string) {
	if d, why, done := transport(x); done {
		return d, why
	}
	m, _, err := answered(x)
	switch {
	case x.Status/100 == 2 && err == nil && text(m["client_id"]) != "":
		return wire.Accepted, fmt.Sprintf("%d with a client_id", x.Status)
	case x.Status/100 == 2:
		return wire.Unknown, fmt.Sprintf("%d without a client_id", x.Status)
	case x.Status == http.StatusBadRequest && legal(text(m["error"]), registrationErrors):
		return wire.Denied, "400 " + text(m["error"])
	case x.Status == http.StatusUnauthorized, x.Status == http.StatusForbidden:
		return wire.Denied, withCode(x)
	}
	return otherwise(x)
}

// ConfigurationDecision judges an answer of the client configuration endpoint. Denied is 401, 403 or 405 (RFC 7592 §2.1
// to §2.3), and 400 with a registration error for an update (§2.2). Accepted is 204, and 200 with a client where one was
// read or changed (§3): a page with 200 shows nobody's registration.
func ConfigurationDecision(x wire.Exchange) (wire.Decision, string) {
	if d, why, done := transport(x); done {
		return d, why
	}
	method := x.Request.Method
	switch x.Status {
	case http.StatusOK:
		m, _, err := object(x.Body, maxDocument)
		if (method == http.MethodGet || method == http.MethodPut) && (err != nil || text(m["client_id"]) == "") {
			return wire.Unknown, "200 without a client_id"
		}
		return wire.Accepted, "200"
	case http.StatusNoContent:
		return wire.Accepted, "204"
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed:
		return wire.Denied, withCode(x)
	case http.StatusBadRequest:
		if e := ReadError(x); legal(e.Code, registrationErrors) {
			return wire.Denied, "400 " + e.Code
		}
	}
	return otherwise(x)
}

// IntrospectionDecision judges an answer about a token. Denied is active: false with 200, since an inactive token is no
// error (RFC 7662 §2.2), and 401 or 403 for a caller that may not ask (§2.3).
func IntrospectionDecision(x wire.Exchange) (wire.Decision, string) {
	if d, why, done := transport(x); done {
		return d, why
	}
	switch x.Status {
	case http.StatusOK:
		active, _, err := ReadIntrospection(x)
		switch {
		case err != nil:
			return wire.Unknown, "200 without a boolean active"
		case active:
			return wire.Accepted, "active: true"
		}
		return wire.Denied, "active: false"
	case http.StatusUnauthorized, http.StatusForbidden:
		return wire.Denied, withCode(x)
	}
	return otherwise(x)
}

// RevocationDecision judges an answer to a revocation. 200 says only that the request was taken: an unknown token gives
// it too (RFC 7009 §2.2). Denied is 400 (§2.2.1, unsupported_token_type among them), 401 or 403.
func RevocationDecision(x wire.Exchange) (wire.Decision, string) {
	if d, why, done := transport(x); done {
		return d, why
	}
	switch {
	case x.Status/100 == 2:
		return wire.Accepted, fmt.Sprint(x.Status)
	case x.Status == http.StatusBadRequest, x.Status == http.StatusUnauthorized, x.Status == http.StatusForbidden:
		return wire.Denied, withCode(x)
	}
	return otherwise(x)
}

// transport decides what never became an answer, and the answers that say "not now" at every endpoint.
func transport(x wire.Exchange) (wire.Decision, string, bool) {
	switch x.Failure {
	case wire.None:
	case wire.Alert:
		return wire.Denied, "TLS alert", true
	case wire.Reset:
		if x.Fresh {
			return wire.Denied, "reset on a fresh connection", true
		}
		return wire.Unknown, "reset on a used connection", true
	case wire.Proxied:
		return wire.Unknown, x.Detail, true
	default:
		return wire.Unknown, string(x.Failure), true
	}
	switch x.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusRequestTimeout:
		return wire.Unknown, fmt.Sprint(x.Status), true
	}
	return wire.Unknown, "", false
}

// otherwise is what no rule names: a refusal that is odd, but none in doubt.
func otherwise(x wire.Exchange) (wire.Decision, string) {
	if x.Status >= 300 && x.Status < 600 {
		return wire.Odd, withCode(x)
	}
	return wire.Unknown, fmt.Sprint(x.Status)
}

func withCode(x wire.Exchange) string {
	e := ReadError(x)
	if e == nil || e.Code == "" {
		return fmt.Sprint(x.Status)
	}
	return fmt.Sprintf("%d %s", x.Status, e.Code)
}

func legal(code string, codes func() []string) bool { return slices.Contains(codes(), code) }

// tokenErrors are RFC 6749 §5.2, RFC 7009 §2.2.1, RFC 8707 §2, RFC 9449 §5 and §8.
func tokenErrors() []string {
	return []string{
		"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
		"unsupported_token_type", "invalid_target", "invalid_dpop_proof", "use_dpop_nonce",
	}
}

// registrationErrors are RFC 7591 §3.2.2; invalid_request is RFC 6750 §3.1.
func registrationErrors() []string {
	return []string{"invalid_redirect_uri", "invalid_client_metadata", "invalid_software_statement", "unapproved_software_statement", "invalid_request"}
}
