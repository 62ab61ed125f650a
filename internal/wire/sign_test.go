package wire_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// A signer is told of the request as it is sent, and what it gives is sent and shown to nobody.
func TestSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, plain)
		var got http.Header
		s.serve(t, func(w http.ResponseWriter, r *http.Request) { got = r.Header.Clone() }, nil)
		var told wire.Signing
		r := wire.Request{Point: "edge", Method: "POST", Origin: origin, Target: "/pay?x=1", Body: []byte("{}"), Credentials: []wire.Credential{
			{In: wire.InHeader, Name: "signature", Signer: "the signer", Sign: func(s wire.Signing) ([]wire.Field, error) {
				told = s
				return []wire.Field{{Name: "X-Signature", Value: "signature-of-this-request"}}, nil
			}},
			{In: wire.InHeader, Name: "X-Key", Text: s.keeper.Keep("key", "key-of-the-partner")},
		}}
		s.do(t, r)
		if told.Method != "POST" || told.URL != origin+"/pay?x=1" || told.Digest != "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:" {
			t.Errorf("told %+v", told)
		}
		names := ""
		for _, f := range told.Header {
			names += " " + f.Name + "=" + f.Value
		}
		if !strings.Contains(names, "X-Key=key-of-the-partner") || !strings.Contains(names, "Host=") || got.Get("X-Signature") != "signature-of-this-request" {
			t.Errorf("the signer sees %s, the server %v", names, got)
		}
		recorded, err := json.Marshal(s.entries())
		if err != nil || strings.Contains(string(recorded), "signature-of-this") || !strings.Contains(string(recorded), "[signature 1]") {
			t.Errorf("recorded: %s %v", recorded, err)
		}
		for name, fields := range map[string][]wire.Field{"gives 0": nil, "frames the request": {{Name: "content-length", Value: "3"}}, "line end": {{Name: "X-A", Value: "a\r\nb"}}} {
			r.Credentials[0].Sign = func(wire.Signing) ([]wire.Field, error) { return fields, nil }
			_, err := s.Do(t.Context(), r)
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestSignersDiffer(t *testing.T) {
	signed := func(by string) wire.Request {
		return wire.Request{Credentials: []wire.Credential{{In: wire.InHeader, Name: "signature", Signer: by, Sign: func(wire.Signing) ([]wire.Field, error) { return nil, nil }}}}
	}
	keeper := secret.NewKeeper()
	if got := wire.Diff(keeper, signed("a"), signed("b")); len(got) != 1 || got[0].String() != "signer: a -> b" {
		t.Errorf("another signer: %v", got)
	}
	if got := wire.Diff(keeper, signed("a"), wire.Request{}); len(got) != 1 || !strings.Contains(got[0].String(), "what a signs -> absent") {
		t.Errorf("no signer: %v", got)
	}
}
