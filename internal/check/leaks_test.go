package check

import (
	"strings"
	"testing"
)

func TestLeaks(t *testing.T) {
	for _, row := range []struct{ body, want string }{
		// what an answer may say
		{`{"error":"invalid_client","error_description":"Client authentication failed (e.g., unknown client, no client authentication included)"}`, ""},
		{`{"error":"invalid_scope","error_description":"the scope is unknown, select another from the list where it is documented"}`, ""},
		{`{"error":"invalid_request","error_uri":"https://docs.example/errors/invalid_request"}`, ""},
		{`{"error":"invalid_request","error_description":"AADSTS900144: The request body must contain the following parameter: 'grant_type'. Trace ID: 5f0 Timestamp: 2026-11-24 13:00:00Z"}`, ""},
		{`{"error":"invalid_request","error_description":"version 10.0.0.1.2 is not supported"}`, ""},
		{`<html><body><h1>502 Bad Gateway</h1><hr>nginx/1.27.0</body></html>`, ""},
		{`{"error":"invalid_client_metadata","error_description":"jwks.keys[0].x: must be base64url at position 12:7"}`, ""},
		{`{"issuer":"https://as.internal.example/"}`, ""},
		{`{"error":"no","seen":"127.0.0.1:8443"}`, ""},
		// what it may not
		{`{"trace":"java.lang.NullPointerException\n\tat com.acme.TokenEndpoint.post(TokenEndpoint.java:118)"}`, "a stack trace of Java, an exception of Java"},
		{`{"message":"org.springframework.dao.DataIntegrityViolationException: could not execute statement"}`, "an exception of Java"},
		{"Traceback (most recent call last):\n  File \"/app/token.py\", line 3", "a stack trace of Python"},
		{"panic: runtime error: index out of range [1] with length 1\n\ngoroutine 7 [running]:\nmain.go:17", "a stack trace of Go"},
		{`{"stack":"TypeError: x is undefined\n    at parse (/srv/as/lib/token.js:10:5)"}`, "a stack trace of JavaScript, a path of the server's disk"},
		{`System.FormatException: The input is not a valid Base-64 string   at System.Convert.FromBase64CharPtr(Char* i) in D:\a\Convert.cs:line 20`, "a stack trace of .NET, a path of the server's disk"},
		{`<b>Fatal error</b>: Uncaught TypeError in /var/www/html/token.php on line 8`, "a stack trace of PHP, a path of the server's disk"},
		{"app/controllers/token.rb:17:in `create'", "a stack trace of Ruby"},
		{`{"error_description":"ERROR: syntax error at or near \"'\" Position: 42"}`, "a message of the database"},
		{`{"error_description":"SELECT id, secret FROM clients WHERE id = ''"}`, "a statement to the database"},
		{`{"error_description":"connection to db-1.clients.svc.cluster.local:5432 refused"}`, "the name of an internal host"},
		{`{"error_description":"upstream 10.1.2.3:8080 said no"}`, "an address of a private network"},
		{`{"error_description":"upstream was 192.168.0.7."}`, "an address of a private network"},
		{`{"error_description":"secret marked-secret is wrong"}`, "the credential that was shown"},
	} {
		got := strings.Join(Leaks([]byte(row.body), []string{"as.internal.example"}, []string{"marked-secret"}), ", ")
		if got != row.want {
			t.Errorf("%s\n tells %q, want %q", row.body, got, row.want)
		}
	}
}
