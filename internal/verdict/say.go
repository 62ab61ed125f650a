package verdict

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// line is line one. Its forms:
//
//	READY
//	READY, not tested: audit (no access)
//	READY, of 3 checks only, 1 failure waived
//	READY, 2 findings that block nothing
//	NOT READY, of 3 checks only: 1 blocking; a bound token is accepted without its certificate at edge
//	NOT READY: 3 blocking; a revoked token still opens legacy for 6.1 s (limit 2 s); not tested: audit (no access)
//	CANNOT TELL: 2 required checks are undecided, first bind.renewed-certificate at edge: the control got 429
func (v *Verdict) line() string {
	word := strings.ToUpper(v.Word.String())
	switch {
	case v.Sentence == "":
		return word
	case v.Word == Ready, len(v.Head.Only) > 0:
		return word + ", " + v.Sentence
	}
	return word + ": " + v.Sentence
}

func (v *Verdict) sentence() string {
	var parts []string
	say := func(format string, a ...any) { parts = append(parts, fmt.Sprintf(format, a...)) }
	only := v.only()
	switch v.Word {
	case NotReady:
		say("%d blocking", v.Blocking)
		say("%s", v.Findings[0].Headline)
		v.sayEnd(say)
	case CannotTell:
		v.sayEnd(say)
		v.sayUndecided(say)
		if len(parts) == 0 {
			say("nothing was decided")
		}
	case Ready:
		if only != "" {
			say("%s", only)
		}
		if n := v.Cells[Waived]; n > 0 {
			say("%s waived", Count(n, "failure"))
		}
		if v.Apart > 0 {
			say("%s not scored (new since catalogue %s)", Count(v.Apart, "finding"), v.Head.Pinned)
		}
		if n := len(v.Findings) - v.Apart; n > 0 {
			blocks := "block"
			if n == 1 {
				blocks = "blocks"
			}
			say("%s that %s nothing", Count(n, "finding"), blocks)
		}
	}
	if len(v.Gaps) > 0 {
		names := make([]string, len(v.Gaps))
		for i, g := range v.Gaps {
			names[i] = g.Name
		}
		say("not tested: %s", List(names, 4))
	}
	if v.Word == Ready {
		return strings.Join(parts, ", ")
	}
	sentence := strings.Join(parts, "; ")
	if only != "" {
		sentence = only + ": " + sentence
	}
	return sentence
}

// only says that the ride was partial: its verdict is about less than the plan.
func (v *Verdict) only() string {
	if len(v.Head.Only) == 0 || v.Waits() {
		return ""
	}
	return fmt.Sprintf("of %s only", Count(v.Checks.Total()-v.Checks[LeftOut], "check"))
}

func (v *Verdict) sayEnd(say func(string, ...any)) {
	switch {
	case v.Waits():
		say("%s", v.Cut)
	case v.End == nil:
		say("the logbook was cut short after %s", Time(v.ended()))
	case v.Cut != "":
		say("the logbook is damaged at its end")
	case v.End.Interrupted != "":
		say("the ride was stopped after %s: %s", Time(v.ended()), v.End.Interrupted)
	}
}

func (v *Verdict) sayUndecided(say func(string, ...any)) {
	if v.Required == 0 {
		return
	}
	i := slices.IndexFunc(v.Unsure, func(g Group) bool { return g.Required && g.Mark != Missing })
	if i < 0 {
		say("%s without a result", Count(v.Required, "required check"))
		return
	}
	are := "are"
	if v.Required == 1 {
		are = "is"
	}
	g := v.Unsure[i]
	reason := g.Because
	if reason == "" && g.Cause != "" {
		reason = g.Cause + " fails"
	}
	if reason == "" {
		reason = g.Mark.String()
	}
	say("%s %s undecided, first %s%s: %s", Count(v.Required, "required check"), are, g.Check, at(g.Points), reason)
}

func at(points []string) string {
	points = slices.DeleteFunc(slices.Clone(points), func(p string) bool { return p == "" })
	if len(points) == 0 {
		return ""
	}
	return " at " + List(points, 4)
}

// headline says in one sentence what is wrong: by its measured times if it has any, else by the broken promise.
func headline(f *Finding, what string) string {
	subject := subject(&f.Card, what)
	times := overdue(f.Seen)
	switch {
	case len(times) > 0 && subject != "":
		return subject + " still opens " + sayTimes(times)
	case len(times) > 0:
		return broken(&f.Card) + ": " + sayTimes(times)
	}
	return broken(&f.Card) + at(f.where(f.Breach.Words()))
}

// where gives the places of a breach, by its words, each once; none: that of the card's promise.
func (f *Finding) where(breach string) []string {
	var places []string
	for i := range f.Seen {
		c := &f.Seen[i]
		if o := c.Observation; o.Breach.Words() != breach && !slices.Contains(breaches(o), breach) {
			continue
		}
		for _, place := range blamedFor(c, breach) {
			if !slices.Contains(places, place) {
				places = append(places, place)
			}
		}
	}
	return places
}

// subject is what is still let through: what the watch says, else what the title says is refused.
func subject(card *logbook.Card, what string) string {
	if what != "" {
		article := "a "
		if strings.ContainsRune("aeiouAEIOU", rune(what[0])) {
			article = "an "
		}
		return article + what
	}
	for _, verb := range []string{" is refused", " are refused"} {
		if before, _, found := strings.Cut(card.Title, verb); found {
			return before
		}
	}
	return ""
}

// negations turn a promise into its breach; the first that occurs is applied.
var negations = [][2]string{
	{" is still refused", " is accepted"}, {" is refused", " is accepted"}, {" are refused", " are accepted"}, {" cannot ", " can "},
	{" is not ", " is "}, {" are not ", " are "}, {" does not ", " does "}, {" do not ", " do "},
	{" gets no token", " gets a token"}, {" authenticates nobody", " authenticates somebody"}, {" is served to nobody else", " is served to others"},
	{" opens nothing", " opens something"}, {" open nothing", " still open something"}, {" decide the same", " decide differently"},
}

// broken says the breach of a card's promise: as its author put it, else by turning the title, else with the title
// quoted after "broken".
func broken(card *logbook.Card) string {
	if card.Broken != "" {
		return card.Broken
	}
	for _, n := range negations {
		if strings.Count(card.Title, n[0]) == 1 {
			return strings.Replace(card.Title, n[0], n[1], 1)
		}
	}
	return "broken: " + card.Title
}

// Broken says the breach of a check's promise in one sentence, with the points where it is broken.
func Broken(card *logbook.Card, points []string) string { return broken(card) + at(points) }

type overstay struct {
	point string
	bound logbook.Bound
}

// overdue gives each point's worst bound that fails, the longest first, and then those whose end was not seen.
func overdue(seen []Cell) []overstay {
	var all []overstay
	for _, c := range seen {
		if c.Observation.Breach != nil { // times are of the promise of the title
			continue
		}
		places := map[string]*logbook.Observation{}
		for _, b := range c.Observation.Bounds {
			at := cmp.Or(b.Point, c.Point)
			if places[at] == nil {
				places[at] = &logbook.Observation{}
			}
			places[at].Bounds = append(places[at].Bounds, b)
		}
		for _, at := range slices.Sorted(maps.Keys(places)) {
			if b, found := WorstBound(places[at]); found {
				all = append(all, overstay{at, b})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b overstay) int {
		return cmp.Or(cmp.Compare(unending(&a.bound), unending(&b.bound)), compareBounds(&b.bound, &a.bound))
	})
	return all
}

// unending puts those last whose end was not seen: their words hold a comma.
func unending(b *logbook.Bound) int {
	if b.Never && !b.Expired {
		return 1
	}
	return 0
}

// WorstBound gives the observation's bound that fails by most: never refused first, then the latest.
func WorstBound(o *logbook.Observation) (logbook.Bound, bool) {
	var worst *logbook.Bound
	for i := range o.Bounds {
		b := &o.Bounds[i]
		if late(b) && (worst == nil || compareBounds(b, worst) > 0) {
			worst = b
		}
	}
	if worst == nil {
		return logbook.Bound{}, false
	}
	return *worst, true
}

// late says that a bound fails; one that was not judged by itself is compared with its limit.
func late(b *logbook.Bound) bool {
	return b.Outcome == logbook.Fail || b.Outcome == logbook.Inconclusive && b.Limit > 0 && b.Low > b.Limit
}

func compareBounds(a, b *logbook.Bound) int {
	never := func(b *logbook.Bound) int {
		if b.Never {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(never(a), never(b)), cmp.Compare(max(a.High, a.Low), max(b.High, b.Low)))
}

func sayTimes(all []overstay) string {
	same := !slices.ContainsFunc(all, func(l overstay) bool { return l.bound.Limit != all[0].bound.Limit })
	var texts []string
	points := map[string][]string{}
	for _, l := range all {
		text := lasted(&l.bound)
		if !same {
			text += fmt.Sprintf(" (limit %s)", Time(l.bound.Limit))
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
		points[text] = append(points[text], l.point)
	}
	var parts []string
	for _, text := range texts {
		parts = append(parts, strings.TrimSpace(List(points[text], 4)+" "+text))
	}
	sentence := List(parts, 6)
	if !same {
		return sentence
	}
	limit := "limit " + Time(all[0].bound.Limit) + ")"
	if before, ends := strings.CutSuffix(sentence, ")"); ends {
		return before + ", " + limit
	}
	return sentence + " (" + limit
}

// lasted says how long it was let through: for 41 s; until it expires (112.8 s); after 2.5 s, when the watch ended.
func lasted(b *logbook.Bound) string {
	end := max(b.High, b.Low)
	switch {
	case b.Expired:
		return fmt.Sprintf("until it expires (%s)", Time(end))
	case b.Never:
		return fmt.Sprintf("after %s, when the watch ended", Time(end))
	case b.Flapped > 0:
		return "on and off for " + Time(end)
	}
	return "for " + Time(end)
}

// Interval prints a bound as [14.8, 15.0] s: its low end rounded down and its high end rounded up.
func Interval(b *logbook.Bound) string {
	unit, decimals := 10.0, 1
	if max(b.Low, b.High) < 10*time.Second {
		unit, decimals = 100, 2
	}
	low := math.Floor(b.Low.Seconds()*unit+1e-6) / unit
	high := math.Ceil(b.High.Seconds()*unit-1e-6) / unit
	if b.Never && b.High == 0 {
		return fmt.Sprintf("over %s s", strconv.FormatFloat(low, 'f', decimals, 64))
	}
	return fmt.Sprintf("[%s, %s] s", strconv.FormatFloat(low, 'f', decimals, 64), strconv.FormatFloat(high, 'f', decimals, 64))
}

// Time prints a duration for people: 11 ms, 6.1 s, 112.8 s, 5 min, 2 h 5 min, 90 d.
func Time(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Time(-d)
	case d == 0:
		return "0 s"
	case d < 100*time.Millisecond:
		return strconv.FormatFloat(max(math.Round(float64(d)/1e6), 1), 'f', 0, 64) + " ms"
	case d < 2*time.Minute:
		return strings.TrimSuffix(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".0") + " s"
	case d < time.Hour:
		tenths := int64(math.Round(d.Seconds() * 10))
		minutes, rest := tenths/600, tenths%600
		switch {
		case rest == 0:
			return fmt.Sprintf("%d min", minutes)
		case rest%10 == 0:
			return fmt.Sprintf("%d min %d s", minutes, rest/10)
		}
		return fmt.Sprintf("%d min %04.1f s", minutes, float64(rest)/10)
	case d < 48*time.Hour:
		minutes := int64(d.Round(time.Minute) / time.Minute)
		if minutes%60 == 0 {
			return fmt.Sprintf("%d h", minutes/60)
		}
		return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
	}
	return fmt.Sprintf("%d d", int64(d.Round(time.Hour)/(24*time.Hour)))
}

// Count prints a number of things: 1 check, 2 checks, 1,812 requests.
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Number(int64(n)) + " " + thing + "s"
}

// Number prints n with a comma at each third digit.
func Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// List joins words: a, b and c. More than most are cut: a, b and 3 more.
func List(words []string, most int) string {
	switch {
	case len(words) == 0:
		return ""
	case len(words) == 1:
		return words[0]
	case len(words) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// quote makes a word safe to paste into a shell.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/:@%+,", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
