package as

import (
	"encoding/base64"
	"strings"
	"time"
)

// withoutColon says whether a Basic header decodes to what is no pair.
func withoutColon(header string) bool {
	_, rest, _ := strings.Cut(header, " ")
	raw, err := base64.StdEncoding.DecodeString(rest)
	return err == nil && len(raw) > 0 && !strings.Contains(string(raw), ":")
}

// ofFramework is how a web framework answers what its own filter refuses, before any code of the server is asked: its
// members, and an error that no registry knows.
func ofFramework(c *call, a answer) answer {
	a.body = map[string]any{"timestamp": c.now.UTC().Format(time.RFC3339), "status": a.status, "error": "Unauthorized", "path": c.r.URL.Path}
	a.header.Del("WWW-Authenticate")
	return a
}

// asException is what a server tells that puts the text of whatever it caught into its answer.
func asException(err error) string {
	return "com.example.registration.InvalidMetadataException: " + err.Error() +
		" at com.example.registration.MetadataParser.parse(MetadataParser.java:118) on db-1.clients.svc.cluster.local:5432"
}
