// Package frameworks holds the references that checks cite: RFCs, OWASP lists, NIST frameworks, OpenID profiles. It is
// a dated table of what exists, so that a report never cites a section that is not there.
//
// Start with [RFC] or one of its siblings, which give a [Ref], and with [Explain], which tells what an id means and
// resolves ids of older editions. A reference says "relates to" or "gives evidence for", never "complies with".
package frameworks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Ref is one reference. ID is as people print it ("RFC 7009 §2.1", "NHI1:2025", "AC-3(8)"). Title and URL are empty
// when the id is not in the tables; see [Known].
type Ref struct{ ID, Title, URL string }

// String gives the id and, if there is one, the title.
func (r Ref) String() string {
	if r.Title == "" {
		return r.ID
	}
	return r.ID + " " + r.Title
}

// RFC gives a section of an RFC: RFC(7009, "2.1"), RFC(6749, "B") for an appendix, RFC(7523, "3(4)") for an item of a
// list, RFC(7009, "") for the whole document.
func RFC(number int, section string) Ref {
	id := "RFC " + strconv.Itoa(number)
	if section != "" {
		id += " §" + section
	}
	doc, ok := rfcOf(number)
	if !ok {
		return Ref{ID: id}
	}
	url := fmt.Sprintf("https://www.rfc-editor.org/rfc/rfc%d.html", number)
	if section == "" {
		return Ref{ID: id, Title: doc.title, URL: url}
	}
	row, ok := rowOf(doc.sections, section)
	if !ok {
		return Ref{ID: id}
	}
	anchor := "#section-"
	if row.id[0] >= 'A' {
		anchor = "#appendix-"
	}
	return Ref{ID: id, Title: row.title, URL: url + anchor + row.id}
}

// NHI gives an entry of the OWASP Non-Human Identities Top 10 of 2025, by its number.
func NHI(n int) Ref {
	id := fmt.Sprintf("NHI%d:2025", n)
	if n < 1 || n > len(nhi) {
		return Ref{ID: id}
	}
	return Ref{ID: id, Title: nhi[n-1], URL: "https://owasp.org/www-project-non-human-identities-top-10/2025/"}
}

// API gives an entry of the OWASP API Security Top 10 of 2023, by its number.
func API(n int) Ref {
	id := fmt.Sprintf("API%d:2023", n)
	if n < 1 || n > len(api) {
		return Ref{ID: id}
	}
	return Ref{ID: id, Title: api[n-1].title, URL: "https://owasp.org/API-Security/editions/2023/en/" + api[n-1].id + "/"}
}

// CSF gives a subcategory of the NIST Cybersecurity Framework 2.0: "PR.AA-05".
func CSF(id string) Ref {
	return listed(csf, id, id, func(string) string { return "https://www.nist.gov/cyberframework" })
}

// SP80053 gives a control of SP 800-53 Rev. 5, as people write it: "AC-3(8)".
func SP80053(id string) Ref {
	return listed(controls, id, id, func(base string) string {
		return "https://csrc.nist.gov/projects/cprt/catalog#/cprt/framework/version/SP_800_53_5_2_0/home?element=" + base
	})
}

// Tenet gives one of the seven tenets of zero trust of SP 800-207 §2.1.
func Tenet(n int) Ref {
	id := fmt.Sprintf("SP 800-207 §2.1 tenet %d", n)
	if n < 1 || n > len(tenets) {
		return Ref{ID: id}
	}
	return Ref{ID: id, Title: tenets[n-1], URL: zeroTrustURL}
}

// SP800207 gives a section of SP 800-207: "4.4".
func SP800207(section string) Ref {
	return listed(zeroTrust, section, "SP 800-207 §"+section, func(string) string { return zeroTrustURL })
}

// ASVS gives a requirement of the OWASP ASVS 5.0: "10.3.5" or "V10.3.5".
func ASVS(id string) Ref {
	id = strings.TrimPrefix(id, "V")
	return listed(asvs, id, "ASVS 5.0 V"+id, func(base string) string {
		chapter, _, _ := strings.Cut(base, ".")
		for _, c := range asvsChapters {
			if c.id == chapter {
				return "https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/" + c.title + ".md"
			}
		}
		return "https://github.com/OWASP/ASVS/tree/v5.0.0/5.0/en"
	})
}

// FAPI2 gives a section of the FAPI 2.0 Security Profile: "5.3.2.1", or "5.3.2.1-13" for an item of its list.
func FAPI2(section string) Ref {
	return listed(fapi2, section, "FAPI 2.0 §"+section, func(base string) string {
		return "https://openid.net/specs/fapi-security-profile-2_0-final.html#section-" + base
	})
}

// OIDC gives a section of OpenID Connect Core 1.0: "9".
func OIDC(section string) Ref {
	return listed(oidcCore, section, "OIDC Core §"+section, func(base string) string {
		return "https://openid.net/specs/openid-connect-core-1_0.html#rfc.section." + base
	})
}

// OIDCRegistration gives a section of OpenID Connect Dynamic Client Registration 1.0: "2".
func OIDCRegistration(section string) Ref {
	return listed(oidcRegistration, section, "OIDC Registration §"+section, func(base string) string {
		return "https://openid.net/specs/openid-connect-registration-1_0.html#rfc.section." + base
	})
}

// CVE gives a known vulnerability that a check is modelled on: "CVE-2018-0114".
func CVE(id string) Ref {
	return listed(cves, id, id, func(base string) string { return "https://www.cve.org/CVERecord?id=" + base })
}

// House is our own demand: no standard stands behind it.
func House() Ref {
	return Ref{ID: "checkride (house rule)", Title: "our own demand; no standard asks for it"}
}

// Known says whether the reference is in the tables, so that its title and address are sure.
func Known(r Ref) bool {
	again, ok := resolve(r.ID)
	return ok && again == r
}

// All gives every reference of the tables, family by family.
func All() []Ref {
	var all []Ref
	for _, doc := range rfcs {
		all = append(all, RFC(doc.number, ""))
		for _, s := range doc.sections {
			all = append(all, RFC(doc.number, s.id))
		}
	}
	for n := range nhi {
		all = append(all, NHI(n+1))
	}
	for n := range api {
		all = append(all, API(n+1))
	}
	for n := range tenets {
		all = append(all, Tenet(n+1))
	}
	for _, family := range []struct {
		table []entry
		ref   func(string) Ref
	}{{zeroTrust, SP800207}, {csf, CSF}, {controls, SP80053}, {asvs, ASVS}, {fapi2, FAPI2}, {oidcCore, OIDC}, {oidcRegistration, OIDCRegistration}, {cves, CVE}} {
		for _, e := range family.table {
			all = append(all, family.ref(e.id))
		}
	}
	return append(all, House())
}

// Explain tells what an id means. It knows every id of the tables in the ways that people write it ("rfc7009 2.1",
// "nhi7", "ac-3.8"), and answers for ids of older editions and common slips with what they are called today
// ("PR.AC-4", "NHI-03", "800-207 4.2").
func Explain(id string) (string, bool) {
	key := squeeze(id)
	for _, a := range aliases {
		if slices.Contains(a.ids, key) {
			return a.text, true
		}
	}
	ref, ok := resolve(id)
	if !ok {
		return "", false
	}
	text := ref.ID + ": " + ref.Title
	if number, isRFC := rfcNumber(key); isRFC {
		doc, _ := rfcOf(number)
		if doc.title != ref.Title {
			text += ", in " + doc.title
		}
	}
	if ref.URL != "" {
		text += "\n" + ref.URL
	}
	return text, true
}

// entry is a row of a table: an id or section number, and its title.
type entry struct{ id, title string }

// document is an RFC with the sections that were seen with their titles.
type document struct {
	number   int
	title    string
	sections []entry
}

// alias answers for ids that are not in the tables. ids are squeezed.
type alias struct {
	ids  []string
	text string
}

func rfcOf(number int) (document, bool) {
	for _, doc := range rfcs {
		if doc.number == number {
			return doc, true
		}
	}
	return document{}, false
}

// rowOf finds a section in a table. An item of a list, written behind the section as "(4)", "(a)(3)" or "-13", is found
// as its section.
func rowOf(table []entry, section string) (entry, bool) {
	for _, candidate := range []string{section, withoutItem(section)} {
		for _, e := range table {
			if e.id == candidate {
				return e, true
			}
		}
	}
	return entry{}, false
}

func withoutItem(section string) string {
	cut := strings.IndexAny(section, "(-")
	if cut <= 0 {
		return section
	}
	return section[:cut]
}

// listed gives the Ref of a table's row.
func listed(table []entry, id, printed string, url func(base string) string) Ref {
	row, ok := rowOf(table, id)
	if !ok {
		return Ref{ID: printed}
	}
	return Ref{ID: printed, Title: row.title, URL: url(row.id)}
}

// squeeze takes away what people write differently: case, blanks, the section sign, leading words.
func squeeze(id string) string {
	id = strings.ToLower(id)
	id = strings.NewReplacer(" ", "", "§", "#", "section", "#", "ofthe", "", "_", "-").Replace(id)
	return strings.ReplaceAll(id, "##", "#")
}

// byKey finds every listed reference by its squeezed id.
var byKey = sync.OnceValue(func() map[string]Ref {
	index := map[string]Ref{}
	for _, r := range All() {
		index[squeeze(r.ID)] = r
	}
	return index
})

// resolve reads an id as printed, or as people write it.
func resolve(id string) (Ref, bool) {
	key := squeeze(id)
	for _, spelled := range spellings(key) {
		if ref, ok := byKey()[spelled]; ok {
			return ref, true
		}
	}
	return withItem(id, key)
}

// spellings gives the forms under which a squeezed id may be listed.
func spellings(key string) []string {
	forms := []string{key}
	if rest, ok := strings.CutPrefix(key, "rfc"); ok && !strings.Contains(key, "#") && len(rest) > 4 {
		forms = append(forms, "rfc"+rest[:4]+"#"+strings.TrimLeft(rest[4:], "-.,:"))
	}
	if strings.HasPrefix(key, "nhi") && !strings.Contains(key, ":") {
		forms = append(forms, key+":2025")
	}
	if strings.HasPrefix(key, "api") && !strings.Contains(key, ":") {
		forms = append(forms, key+":2023")
	}
	if rest, ok := strings.CutPrefix(key, "asvs"); ok {
		forms = append(forms, "asvs5.0v"+strings.TrimLeft(strings.TrimPrefix(rest, "5.0"), "#v-.0"))
	}
	if rest, ok := strings.CutPrefix(key, "v"); ok {
		forms = append(forms, "asvs5.0v"+rest)
	}
	if rest, ok := strings.CutPrefix(key, "fapi2"); ok {
		forms = append(forms, "fapi2.0#"+strings.TrimLeft(strings.TrimPrefix(rest, ".0"), "#"))
	}
	if rest, ok := strings.CutPrefix(key, "oidc"); ok {
		forms = append(forms, "oidccore#"+strings.TrimLeft(strings.TrimPrefix(rest, "core"), "#"))
	}
	if rest, ok := strings.CutPrefix(strings.TrimPrefix(key, "sp"), "800-207"); ok {
		forms = append(forms, "sp800-207#"+strings.TrimLeft(rest, "#"))
	}
	if n, ok := strings.CutPrefix(key, "tenet"); ok {
		forms = append(forms, "sp800-207#2.1tenet"+n)
	}
	// OSCAL writes an enhancement with a dot: ac-3.8.
	if control, enhancement, ok := strings.Cut(strings.TrimPrefix(key, "sp800-53"), "."); ok {
		forms = append(forms, control+"("+enhancement+")")
	}
	return append(forms, strings.TrimPrefix(key, "sp800-53"), strings.TrimPrefix(key, "csf2.0"), strings.TrimPrefix(key, "csf"))
}

// withItem reads the id of an item of a list, which is not a row of its own: "RFC 7523 §3(4)", "FAPI 2.0 §5.3.2.1-13".
func withItem(id, key string) (Ref, bool) {
	_, section, ok := strings.Cut(id, "§")
	if !ok || section == "" {
		return Ref{}, false
	}
	number, isRFC := rfcNumber(key)
	var ref Ref
	switch {
	case isRFC:
		ref = RFC(number, section)
	case strings.HasPrefix(key, "fapi2.0#"):
		ref = FAPI2(section)
	case strings.HasPrefix(key, "oidccore#"):
		ref = OIDC(section)
	case strings.HasPrefix(key, "oidcregistration#"):
		ref = OIDCRegistration(section)
	}
	return ref, ref.Title != ""
}

func rfcNumber(key string) (int, bool) {
	rest, ok := strings.CutPrefix(key, "rfc")
	if !ok || len(rest) < 4 {
		return 0, false
	}
	n, err := strconv.Atoi(rest[:4])
	return n, err == nil
}
