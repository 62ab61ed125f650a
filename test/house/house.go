// Package house keeps the rules of this code base as tests: which package may import which, what nothing may be called,
// what no file may hold.
//
// Start with the table [Arrows] and with the list of rules in rules_test.go. A rule that stands in the way of good code
// is changed here, with its reason, in the same commit.
package house

import "strings"

// Module is the path of this module.
const Module = "github.com/checkride/checkride"

// Arrow says what one package, with all that is below it, may import of this module. What it may import, it may also
// import the imports of: arrows skip steps, they never turn round.
type Arrow struct {
	From string   // a folder, relative to the module
	To   []string // folders; each stands for all that is below it
	Why  string   // why it is not more
}

// Arrows is the whole module, from what imports nothing to what imports everything.
var Arrows = []Arrow{
	{"internal/secret", nil, "everything masks with it, so it must not know anybody"},
	{"internal/memnet", nil, "it stands in for the network under both the tester and the sandbox"},
	{"internal/defect", nil, "it is the only thing that the tester and the sandbox share"},
	{"internal/frameworks", nil, "references are data"},
	{"internal/logbook", nil, "it is what is stored: a reader of an old book needs nothing else"},
	{"internal/canary", nil, "it waits for strangers, and knows neither plan nor checks"},
	{"internal/profile", []string{"internal/logbook"}, "profiles are data, and name checks by their ids alone"},
	{"internal/plan", []string{"internal/secret", "internal/logbook", "internal/profile"}, "a plan is read before anything exists that could act on it"},
	{"internal/wire", []string{"internal/secret", "internal/logbook"}, "it is the only door to the network and must not know why somebody goes through it"},
	{"internal/oauth", []string{"internal/wire", "internal/secret"}, "the protocols do not know plans, checks or who plays"},
	{"internal/forge", []string{"internal/oauth", "internal/wire", "internal/secret"}, "a forgery is one change of one request, whoever sends it"},
	{"internal/ledger", []string{"internal/secret"}, "it must be readable after a crash, without a ride"},
	{"internal/cast", []string{"internal/plan", "internal/wire", "internal/oauth", "internal/ledger"}, "who plays does not know what is checked"},
	{"internal/audit", []string{"internal/plan", "internal/secret", "internal/logbook"}, "logs are read by other ways than wire, and judged elsewhere"},
	{"internal/attach", []string{"internal/audit", "internal/plan", "internal/logbook"}, "an export is judged by the book alone: the stack is not asked again"},
	{"internal/check", []string{"internal/canary", "internal/plan", "internal/wire", "internal/cast", "internal/audit", "internal/forge", "internal/defect", "internal/frameworks", "internal/logbook", "internal/profile"}, "the verbs of a check do not know the catalogue nor the engine that runs it"},
	{"internal/checks", []string{"internal/check", "internal/canary", "internal/defect", "internal/frameworks", "internal/forge"}, "a check is a promise and a short story; the engine is not its business"},
	{"internal/ride", []string{"internal/canary", "internal/check", "internal/cast", "internal/wire", "internal/plan", "internal/audit", "internal/logbook"}, "the engine runs the checks that it is given, and does not know the catalogue"},
	{"internal/cleanup", []string{"internal/cast", "internal/wire", "internal/plan", "internal/oauth", "internal/ledger"}, "what a killed ride left is removed from its ledger and plan alone"},
	{"internal/folder", []string{"internal/ride", "internal/report", "internal/verdict", "internal/ledger", "internal/attach", "internal/logbook"}, "it lays down what a ride leaves on disk and judges nothing"},
	{"internal/docs", []string{"internal/checks", "internal/check", "internal/plan", "internal/frameworks", "internal/report", "internal/logbook", "internal/defect"}, "pages are made of the code, and nothing is made of pages"},
	{"internal/verdict", []string{"internal/logbook"}, "the logbook is enough: an old ride is judged from its book alone"},
	{"internal/compare", []string{"internal/verdict", "internal/logbook"}, "two rides are compared by their books alone, long after they ended"},
	{"internal/report", []string{"internal/compare", "internal/verdict", "internal/logbook", "internal/frameworks"}, "a report is made of the logbook and of nothing else"},
	{"internal/sandbox", []string{"internal/defect"}, "the sandbox and the tester share no protocol code: a misreading in both would prove itself"},
	{"internal/prove", []string{"internal/sandbox", "internal/memnet", "internal/ride", "internal/checks", "internal/verdict"}, "a proof brings the tester and the sandbox together, and nobody builds on it but the command"},
	{"cmd", []string{"internal"}, "the command holds no logic, and nothing imports it"},
	{"test/real", []string{"internal"}, "third-party systems are for tests only"},
	{"test/house", nil, "it reads the code and runs none of it"},
}

// Coming names the folders of [Arrows] that may still be without a Go file. Every other one must exist.
var Coming = []string{}

// arrowOf gives the arrow of the folder, or nothing.
func arrowOf(folder string) (Arrow, bool) {
	for _, arrow := range Arrows {
		if within(folder, arrow.From) {
			return arrow, true
		}
	}
	return Arrow{}, false
}

// mayImport says whether the folder from may import the folder to.
func mayImport(from, to string) bool {
	arrow, known := arrowOf(from)
	if !known {
		return false
	}
	return reaches(arrow, to)
}

func reaches(arrow Arrow, to string) bool {
	if within(to, arrow.From) {
		return true
	}
	for _, next := range arrow.To {
		if within(to, next) {
			return true
		}
		further, known := arrowOf(next)
		if known && further.From != arrow.From && reaches(further, to) {
			return true
		}
	}
	return false
}

// within says whether a folder is another one or below it.
func within(folder, above string) bool {
	return folder == above || strings.HasPrefix(folder, above+"/")
}
