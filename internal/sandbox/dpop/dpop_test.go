package dpop

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// The protected resource request of RFC 9449 §7.1 (figures 13 and 14) and the thumbprint of §6.1.
const (
	published = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik" +
		"VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR" +
		"nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE" +
		"QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj" +
		"oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z" +
		"WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF" +
		"c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71E" +
		"OptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
	key = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
)

func TestThePublishedProof(t *testing.T) {
	made := time.Unix(1562262618, 0)
	good := Expected{Method: "GET", URI: "https://resource.example.org/protectedresource", Token: "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU", Key: key}
	for name, row := range map[string]struct {
		alter func(*Expected, http.Header)
		after time.Duration
		lax   Lax
		fault string
	}{
		"as it is":          {},
		"other spelling":    {alter: func(e *Expected, _ http.Header) { e.URI = "HTTPS://Resource.Example.org:443/protectedresource" }},
		"two":               {alter: func(_ *Expected, h http.Header) { h.Add("DPoP", published) }, fault: "one DPoP header"},
		"cut":               {alter: func(_ *Expected, h http.Header) { h.Set("DPoP", published[:300]) }, fault: "no JWT"},
		"bad signature":     {alter: func(_ *Expected, h http.Header) { h.Set("DPoP", strings.Replace(published, ".2oW9", ".3oW9", 1)) }, fault: "signature"},
		"unverified":        {alter: func(_ *Expected, h http.Header) { h.Set("DPoP", strings.Replace(published, ".2oW9", ".3oW9", 1)) }, lax: Lax{Signature: true}},
		"another key":       {alter: func(e *Expected, _ http.Header) { e.Key = "another" }, fault: "another key"},
		"another method":    {alter: func(e *Expected, _ http.Header) { e.Method = "get" }, fault: "htm"},
		"another path":      {alter: func(e *Expected, _ http.Header) { e.URI += "/" }, fault: "htu"},
		"another host":      {alter: func(e *Expected, _ http.Header) { e.URI = "https://b.example.org/protectedresource" }, fault: "htu"},
		"any host":          {alter: func(e *Expected, _ http.Header) { e.URI = "https://b.example.org/protectedresource" }, lax: Lax{Host: true}},
		"another token":     {alter: func(e *Expected, _ http.Header) { e.Token = "another" }, fault: "ath"},
		"late":              {after: 61 * time.Second, fault: "just now"},
		"late all the same": {after: time.Hour, lax: Lax{Age: true}},
		"early":             {after: -16 * time.Second, fault: "just now"},
		"clocks differ":     {after: -10 * time.Second},
	} {
		want, r := good, &http.Request{Header: http.Header{"Dpop": {published}}}
		if row.alter != nil {
			row.alter(&want, r.Header)
		}
		v := &Verifier{Seen: NewSeen()}
		got, fault := v.Verify(r, made.Add(row.after), want, row.lax)
		switch {
		case row.fault == "" && (fault != nil || got != key):
			t.Errorf("%s: %v, key %s", name, fault, got)
		case row.fault != "" && (fault == nil || !strings.Contains(fault.Reason, row.fault)):
			t.Errorf("%s: %v, want %s", name, fault, row.fault)
		}
	}
}

// What was seen stays seen for as long as it could pass otherwise, and is forgotten after that.
func TestSeen(t *testing.T) {
	s, now := NewSeen(), time.Unix(1562262618, 0)
	if !s.first("a", now) || s.first("a", now.Add(oldest)) || !s.first("b", now.Add(oldest)) {
		t.Error("a proof is good twice, or another one not once")
	}
	if !s.first("c", now.Add(time.Hour)) || len(s.until) != 1 {
		t.Errorf("%d are remembered", len(s.until))
	}
}
