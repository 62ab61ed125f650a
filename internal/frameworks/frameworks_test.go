package frameworks

import (
	"strings"
	"testing"
)

func TestEveryReferenceIsUniqueAndWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range All() {
		if seen[r.ID] {
			t.Errorf("%s is listed twice", r.ID)
		}
		seen[r.ID] = true
		if r.Title == "" || (r.URL == "" && r != House()) {
			t.Errorf("%s lacks title or address: %+v", r.ID, r)
		}
		if !Known(r) {
			t.Errorf("%s is listed and not known", r.ID)
		}
		text, ok := Explain(r.ID)
		if !ok || text == "" {
			t.Errorf("explain does not know %s", r.ID)
		}
	}
	if len(seen) < 350 {
		t.Errorf("only %d references: a table got lost", len(seen))
	}
}

func TestConstructors(t *testing.T) {
	for _, c := range []struct {
		ref             Ref
		id, title, url  string
		unknownIsWanted bool
	}{
		{ref: RFC(7009, "2.1"), id: "RFC 7009 §2.1", title: "Revocation Request", url: "https://www.rfc-editor.org/rfc/rfc7009.html#section-2.1"},
		{ref: RFC(6749, "B"), id: "RFC 6749 §B", title: "Use of application/x-www-form-urlencoded Media Type", url: "https://www.rfc-editor.org/rfc/rfc6749.html#appendix-B"},
		{ref: RFC(7523, "3(4)"), id: "RFC 7523 §3(4)", title: "JWT Format and Processing Requirements", url: "https://www.rfc-editor.org/rfc/rfc7523.html#section-3"},
		{ref: RFC(5280, "6.1.3(a)(3)"), id: "RFC 5280 §6.1.3(a)(3)", title: "Basic Certificate Processing", url: "https://www.rfc-editor.org/rfc/rfc5280.html#section-6.1.3"},
		{ref: RFC(9449, ""), id: "RFC 9449", title: "OAuth 2.0 Demonstrating Proof of Possession (DPoP)", url: "https://www.rfc-editor.org/rfc/rfc9449.html"},
		{ref: NHI(7), id: "NHI7:2025", title: "Long-Lived Secrets", url: "https://owasp.org/www-project-non-human-identities-top-10/2025/"},
		{ref: API(10), id: "API10:2023", title: "Unsafe Consumption of APIs", url: "https://owasp.org/API-Security/editions/2023/en/0xaa-unsafe-consumption-of-apis/"},
		{ref: Tenet(6), id: "SP 800-207 §2.1 tenet 6", title: tenets[5], url: zeroTrustURL},
		{ref: SP800207("4.4"), id: "SP 800-207 §4.4", title: "Collaboration Across Enterprise Boundaries", url: zeroTrustURL},
		{ref: ASVS("V10.3.5"), id: "ASVS 5.0 V10.3.5", title: "stolen access tokens are useless: sender-constrained by mTLS or DPoP", url: "https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x19-V10-OAuth-and-OIDC.md"},
		{ref: FAPI2("5.3.2.1-13"), id: "FAPI 2.0 §5.3.2.1-13", title: "General requirements (authorization servers)", url: "https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.3.2.1"},
		{ref: OIDC("9"), id: "OIDC Core §9", title: "Client Authentication", url: "https://openid.net/specs/openid-connect-core-1_0.html#rfc.section.9"},

		{ref: RFC(7009, "9.9"), id: "RFC 7009 §9.9", unknownIsWanted: true},
		{ref: RFC(1, "1"), id: "RFC 1 §1", unknownIsWanted: true},
		{ref: RFC(7009, "-"), id: "RFC 7009 §-", unknownIsWanted: true},
		{ref: NHI(0), id: "NHI0:2025", unknownIsWanted: true},
		{ref: NHI(11), id: "NHI11:2025", unknownIsWanted: true},
		{ref: API(-1), id: "API-1:2023", unknownIsWanted: true},
		{ref: Tenet(8), id: "SP 800-207 §2.1 tenet 8", unknownIsWanted: true},
		{ref: CSF("PR.AC-4"), id: "PR.AC-4", unknownIsWanted: true},
		{ref: CSF("DE.CM-04"), id: "DE.CM-04", unknownIsWanted: true},
		{ref: SP80053("AC-3(99)"), id: "AC-3(99)", unknownIsWanted: true},
		{ref: ASVS("10.4.9"), id: "ASVS 5.0 V10.4.9", unknownIsWanted: true},
		{ref: CVE("CVE-1999-0001"), id: "CVE-1999-0001", unknownIsWanted: true},
		{ref: Ref{ID: "RFC 7009 §2.1", Title: "something else"}, id: "RFC 7009 §2.1", title: "something else", unknownIsWanted: true},
	} {
		if want := (Ref{c.id, c.title, c.url}); c.ref != want {
			t.Errorf("got %+v, want %+v", c.ref, want)
		}
		if Known(c.ref) == c.unknownIsWanted {
			t.Errorf("Known(%s) = %v", c.id, !c.unknownIsWanted)
		}
	}
	if got := SP80053("AC-3(8)"); got.Title != "Access Enforcement | Revocation of Access Authorizations" {
		t.Errorf("AC-3(8) is %q", got.Title)
	}
	if !Known(House()) {
		t.Error("the house rule is not known")
	}
}

func TestListsAreComplete(t *testing.T) {
	for name, c := range map[string][2]int{"NHI": {len(nhi), 10}, "API": {len(api), 10}, "tenets": {len(tenets), 7}} {
		if c[0] != c[1] {
			t.Errorf("%s has %d entries, want %d", name, c[0], c[1])
		}
	}
	for _, e := range asvs {
		if strings.Contains(ASVS(e.id).URL, "/tree/") {
			t.Errorf("%s has no chapter", e.id)
		}
	}
}

func TestExplain(t *testing.T) {
	for id, want := range map[string]string{
		"PR.AC-4":           "that is CSF 1.1; in 2.0: PR.AA-05",
		"pr.ac-4":           "PR.AA-05",
		"NHI-03":            "NHI7:2025",
		"800-207 4.2":       "tenet 6",
		"SP 800-207 §4.2":   "tenet 6",
		"API10:2019":        "no entry on logging",
		"NHI1":              "NHI1:2025: Improper Offboarding",
		"nhi1:2025":         "Improper Offboarding",
		"rfc7009 2.1":       "RFC 7009 §2.1: Revocation Request, in OAuth 2.0 Token Revocation",
		"RFC 7009":          "RFC 7009: OAuth 2.0 Token Revocation\n",
		"RFC 7523 §3(4)":    "JWT Format",
		"ac-3.8":            "AC-3(8): Access Enforcement | Revocation",
		"SP 800-53 IA-9":    "Service Identification",
		"V10.3.5":           "sender-constrained",
		"ASVS 10.3.5":       "sender-constrained",
		"ASVS 5.0 10.3.5":   "sender-constrained",
		"FAPI2 §5.3.4":      "resource servers",
		"FAPI 2.0 §5.3.4-2": "resource servers",
		"OIDC Core 9":       "Client Authentication",
		"tenet 6":           "strictly enforced",
		"800-207 4.4":       "Collaboration",
		"RFC 7525":          "RFC 9325",
		"PR.AA-05":          "least privilege",
		"CVE-2018-0114":     "node-jose",
	} {
		text, ok := Explain(id)
		if !ok || !strings.Contains(text, want) {
			t.Errorf("explain %q: %q, want %q in it", id, text, want)
		}
	}
	for _, id := range []string{"", "§", "RFC", "RFC 9999 §1", "RFC 7009 §77", "XX-1", "NHI12", "API0:2023"} {
		if text, ok := Explain(id); ok {
			t.Errorf("explain %q answers %q", id, text)
		}
	}
}

func TestAliasesPointAtKnownIDs(t *testing.T) {
	for _, a := range aliases {
		for _, id := range a.ids {
			if id != squeeze(id) {
				t.Errorf("alias %q is not squeezed", id)
			}
		}
		for word := range strings.FieldsFuncSeq(a.text, func(r rune) bool { return strings.ContainsRune(" ,;", r) }) {
			if (strings.HasPrefix(word, "PR.A") || strings.HasPrefix(word, "NHI") || strings.HasPrefix(word, "API")) && strings.ContainsAny(word, ":-") && !strings.HasSuffix(word, "2019") && word != "NHI-03:" {
				if _, ok := resolve(word); !ok {
					t.Errorf("the alias for %v names %s, which is not listed", a.ids, word)
				}
			}
		}
	}
}
