package oauth

import (
	"net/http"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/wire"
)

func TestErrorFlaws(t *testing.T) {
	for _, row := range []struct{ kind, body, want string }{
		{"application/json", `{"error":"invalid_client"}`, ""},
		{"application/json;charset=UTF-8", `{"error":"invalid_request","error_description":"grant_type is missing","error_uri":"https://as.example/e"}`, ""},
		{"application/json", `{"error":"use_dpop_nonce","error_description":""}`, ""},
		{"text/html", `<html>`, "is no application/json, is no JSON object"},
		{"application/json", `[]`, "is no JSON object"},
		{"application/json", `{"message":"no"}`, "has no error"},
		{"application/json", `{"error":"Unauthorized","status":401}`, "has an error that is not registered"},
		{"application/json", `{"error":["invalid_client"]}`, "has an error that is not registered"},
		{"application/json", `{"error":"invalid_client","error":"invalid_request"}`, "has a member twice"},
		{"application/json", `{"error":"invalid_client","error_description":"ungültig"}`, "has characters in error_description that may not stand there"},
		{"application/json", `{"error":"invalid_client","error_description":"the \"secret\""}`, "has characters in error_description that may not stand there"},
		{"application/json", `{"error":"invalid_client","error_uri":"see there"}`, "has characters in error_uri that may not stand there"},
	} {
		x := wire.Exchange{Status: 400, Header: http.Header{"Content-Type": {row.kind}}, Body: []byte(row.body)}
		if got := strings.Join(ErrorFlaws(x), ", "); got != row.want {
			t.Errorf("%s %s: %q, want %q", row.kind, row.body, got, row.want)
		}
	}
}

func TestChallenged(t *testing.T) {
	for field, want := range map[string]bool{
		`Basic realm="as"`:              true,
		`basic`:                         true,
		`Bearer realm="x", BASIC a="b"`: true,
		`Bearer realm="basically"`:      false,
		``:                              false,
	} {
		x := wire.Exchange{Header: http.Header{"Www-Authenticate": {field}}}
		if Challenged(x, "Basic") != want {
			t.Errorf("%q: %v", field, !want)
		}
	}
}
