//go:build linux

package real

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/report"
	"github.com/checkride/checkride/internal/ride"
	"github.com/checkride/checkride/internal/verdict"
)

// Tokens outlive limit, patience and clock skew of the plans (22 s together) by as much as a busy machine is late, and no longer than that: the
// rides wait for their end.
const rideTokenLife = 33 * time.Second

// outcome is what a whole ride must come to: each check that fails and each that could not tell, at its points. All else
// passes, is not applicable, or is declared out of scope.
//
// Each finding was confirmed without the program: by the parts of TestTruth that are named beside it, which play the same
// with net/http alone.
type outcome struct {
	word   verdict.Word
	fails  map[string]string // check -> points
	unsure map[string]string
	gaps   []string // what line one names as not tested
	left   []string // what cleanup must leave behind, by words of its name or detail
	look   func(t *testing.T, r *ridden)
}

// What oidc-provider does in every plan; it cannot be configured otherwise but for the first. By hand in TestTruth and
// TestTruthOfClients, under the names in quotes.
var (
	// It registers whatever scopes a client asks for, unless the operator writes a policy ("a registration gets the scopes
	// that it asks for").
	excessScope = "register.excess-scope"
	// Its schema of jwks_uri takes http, against OpenID Connect Registration §2; addresses within it does not speak to ("keys
	// are fetched by plain http, and not from addresses within").
	plainKeys = "register.keys-from-anywhere"
	// It does not look at iat, bounds no exp, and is content with an aud among others ("assertions may be made in the future,
	// end in a year and name another server too"). No RFC forbids it: medium, our demand.
	wideAssertions = "authenticate.assertion-too-wide"
	// It drops a scope that it does not know, and an answer with no scope left says nothing, where RFC 6749 §3.3 has it
	// said ("a scope in other letters brings a token without scope, and the answer does not say so").
	untoldScope = "issue.scope-is-told"
	// It takes client_secret_basic and client_secret_post for one method ("a secret is taken in the form"). Low, so only
	// the profile hygiene shows it: RFC 6749 §2.3.1 only advises against it.
	otherMethod = "authenticate.other-method"
	// Its secrets never expire ("secrets never expire, and thirty wrong ones lock nobody out"), which the profile elevated
	// does not have.
	eternalSecrets = "register.secret-lifetime"
	// What each point says with a refusal is its configuration's ("nginx and HAProxy say no in other words than RFC 6750 has it",
	// "it names an error where nothing was shown, and none where a scope is missing", "the resource names an error where nothing
	// was shown"). Low as well.
	otherWords = "enforce.bearer-form"
)

// failing is what fails of a plan, beside what is pinned already: check -> points.
func failing(before map[string]string, more map[string]string) map[string]string {
	all := maps.Clone(before)
	maps.Copy(all, more)
	return all
}

var (
	nginxFails = map[string]string{
		excessScope: "main", plainKeys: "main", wideAssertions: "main", untoldScope: "main",
		// Nothing counts wrong secrets ("secrets never expire, and thirty wrong ones lock nobody out"). oidc-provider leaves
		// that to what stands before it.
		"authenticate.guessing": "main",
		// gateway.js compares cnf where there is one ("a token without binding opens what demands bound ones").
		"bind.unbound-token": "cached uncached",
		// An opaque token of oidc-provider is its jti, and server.mjs logs the jti ("the log holds opaque tokens").
		"audit.no-secrets": "main",
		// The cache keeps a token's answer for 15 s, whatever its exp ("a cached token outlives its expiry"), and whatever
		// became of it ("a revoked token works on at nginx until the cache forgets it", "a suspended client's token works on
		// at nginx until the cache forgets it, and never again"). The agreement has 9 to 10 s.
		"expire.token-past-expiry":         "cached",
		"revoke.token-outlives-revocation": "cached",
		"compromise.thief-is-locked-out":   "cached",
		// A right that is taken from a client stays in its tokens ("a token keeps a right that was taken from its client").
		"revoke.reduced-entitlement": "cached uncached",
		// oidc-provider does not end the opaque tokens of a deleted client ("a deleted client's tokens work until they
		// expire", "introspection calls a deleted client's token active"). RFC 7592 §2.3 only advises it; the agreement has 11 s.
		"offboard.token-outlives-client":            "cached uncached",
		"offboard.nothing-of-a-whole-life-survives": "stack",
		"claims.dead-token-is-inactive":             "main",
	}
	haproxyFails = map[string]string{
		excessScope: "main", plainKeys: "main", wideAssertions: "main", untoldScope: "main",
		// HAProxy has no converter that compares cnf ("nginx compares the certificate with cnf and HAProxy does not").
		"bind.unbound-token":             "offline",
		"bind.with-anothers-certificate": "offline",
		"bind.renewed-certificate":       "offline",
		"bind.without-its-certificate":   "offline",
		// Its upstream believes whoever reaches it ("the API behind HAProxy can be reached past it").
		"enforce.no-way-around": "offline",
		// "a JWT can be neither revoked nor introspected", "a deleted client's tokens work until they expire".
		"revoke.not-revocable":             "offline",
		"revoke.token-outlives-revocation": "offline",
		"offboard.token-outlives-client":   "offline",
	}
	haproxyUnsure = map[string]string{ // a point that takes the token without any certificate takes it with a false one as well
		"bind.certificate-in-header": "offline",
		"bind.warm-cache":            "offline",
	}
	dpopFails = map[string]string{
		excessScope: "main", plainKeys: "main", wideAssertions: "main", untoldScope: "main",
		// oauth4webapi takes bearer tokens unless it is told to require DPoP ("a token without binding opens the resource").
		"bind.unbound-token": "proving",
		// It remembers no proofs ("a proof is good once at the server and more than once at the resource").
		"bind.proof-replay": "proving",
		// Its leeway is 30 s, and the plan's 2 s ("a token opens the resource for half a minute after its end").
		"expire.token-past-expiry": "proving",
	}
	givenFails = map[string]string{
		wideAssertions: "main", untoldScope: "main",
		"expire.token-past-expiry":         "cached",
		"revoke.token-outlives-revocation": "cached",
		// The partner has one key in both environments (TestGiven).
		"authenticate.other-environment": "main",
	}
	givenUnsure = map[string]string{"issue.audience-as-asked": "main"} // the tokens are opaque, and partners may not introspect
	givenGaps   = []string{
		"what the stack fetches", "claims.inactive-says-no-more",
		"register", "offboard", "audit", "rotate", "compromise.recovery", "compromise.thief-is-locked-out", "revoke.reduced-entitlement", "claims.introspection-without-authentication",
		"claims.neighbour-introspects", "claims.source-of-truth", "claims.dead-token-is-inactive", "claims.introspection-agrees", "enforce.fails-closed", "enforce.no-way-around",
	}
	// What the plans declare, and the classes of harm that they do not allow.
	noOtherEnvironment = []string{"authenticate.other-environment", "enforce.other-environment"}
	nginxGaps          = []string{"offboard.withdrawn-certificate", "load"}
	noHooksGaps        = slices.Concat(noOtherEnvironment, []string{"rotate.old-secret", "rotate.withdrawn-signing-key", "revoke.reduced-entitlement",
		"compromise.recovery", "compromise.thief-is-locked-out", "offboard.suspended-client", "load", "lockout"})
	noWindow = []string{"expire.window-closes", "issue.outside-window", "issue.scheduled-window"}
	// Its registration token was used at another client's URL ("a misused registration token dies"). Where the plan has the
	// hook delete_client, the operator removes it.
	oneNeighbour = []string{"neighbour"}
)

// rides begin in this order: those that take longest first.
var rides = []struct {
	name, plan string
	options    Options
	want       outcome
}{
	{name: "HAProxy, elevated", plan: "oidc-haproxy.yaml", options: Options{TokenLife: rideTokenLife, Profile: elevated, Follows: true, Fetches: true}, want: outcome{
		word: verdict.NotReady,
		fails: failing(haproxyFails, map[string]string{
			otherMethod: "main", eternalSecrets: "main", otherWords: "library offline",
			// A JWT is no more revocable at jose ("a JWT outlives revocation and its client at jose, until it expires").
			"revoke.not-revocable": "library offline", "revoke.token-outlives-revocation": "library offline", "offboard.token-outlives-client": "library offline",
			// "nginx compares the certificate with cnf and HAProxy does not", "jose compares the certificate with cnf, and wants one".
			"enforce.points-agree": "stack",
			// "a new signing key is taken, and a withdrawn one is trusted for as long as its set is kept".
			"rotate.withdrawn-signing-key": "stack",
			// oidc-provider looks at a jwks_uri once a minute, and not for an unknown kid either ("a published key is kept for a
			// minute, whatever stands in its place").
			"rotate.published-key-removed": "main",
		}),
		unsure: haproxyUnsure, look: keyTimes,
		gaps: slices.Concat(noWindow, []string{"rotate.old-secret", "revoke.reduced-entitlement", "compromise.recovery", "compromise.thief-is-locked-out", "offboard.suspended-client",
			"offboard.withdrawn-certificate", "load", "lockout"}),
	}},
	{name: "nginx, elevated", plan: "oidc-nginx.yaml", options: Options{TokenLife: rideTokenLife, Profile: elevated}, want: outcome{
		word: verdict.NotReady, gaps: nginxGaps, look: atNginx,
		fails: failing(nginxFails, map[string]string{
			otherMethod: "main", eternalSecrets: "main", otherWords: "cached uncached",
			// As of a suspended client: the same cache.
			"expire.window-closes": "cached", "issue.scheduled-window": "main",
		}),
	}},
	{name: "nginx, baseline", plan: "oidc-nginx.yaml", options: Options{TokenLife: rideTokenLife}, want: outcome{
		word: verdict.NotReady, fails: nginxFails, gaps: nginxGaps, look: atNginx,
	}},
	{name: "HAProxy, baseline", plan: "oidc-haproxy.yaml", options: Options{TokenLife: rideTokenLife}, want: outcome{
		word: verdict.NotReady, fails: haproxyFails, unsure: haproxyUnsure,
		gaps: slices.Concat(noHooksGaps, []string{"offboard.withdrawn-certificate"}),
		look: func(t *testing.T, r *ridden) {
			for _, id := range []string{"revoke.not-revocable", "offboard.token-outlives-client"} {
				for _, b := range r.at(t, id, "offline").Bounds {
					if !b.Expired || b.Low > rideTokenLife || b.High < rideTokenLife-5*time.Second {
						t.Errorf("%s: %s, want a token's life", id, b.Describe())
					}
				}
			}
		},
	}},
	{name: "DPoP, baseline", plan: "oidc-dpop.yaml", options: Options{TokenLife: rideTokenLife, Proofs: true}, want: outcome{
		word: verdict.NotReady, fails: dpopFails, gaps: noHooksGaps, left: oneNeighbour,
	}},
	{name: "DPoP, elevated", plan: "oidc-dpop.yaml", options: Options{TokenLife: rideTokenLife, Proofs: true, Profile: elevated}, want: outcome{
		word: verdict.NotReady, fails: failing(dpopFails, map[string]string{otherMethod: "main", eternalSecrets: "main", otherWords: "proving"}),
		gaps: slices.Concat(noHooksGaps, noWindow),
	}},
	{name: "given, baseline", plan: "oidc-given.yaml", options: Options{TokenLife: rideTokenLife, Given: true}, want: outcome{
		word: verdict.NotReady, fails: givenFails, unsure: givenUnsure, gaps: givenGaps, look: cacheBounds,
	}},
	{name: "given, elevated", plan: "oidc-given.yaml", options: Options{TokenLife: rideTokenLife, Given: true, Profile: elevated}, want: outcome{
		word: verdict.NotReady, unsure: failing(givenUnsure, haproxyUnsure), gaps: slices.Concat(givenGaps, noWindow, []string{"renewed certificates"}), look: cacheBounds,
		fails: failing(givenFails, map[string]string{ // TestGivenAndBound
			"bind.with-anothers-certificate": "offline",
			"bind.without-its-certificate":   "offline",
			"enforce.points-agree":           "stack",
			otherWords:                       "cached offline",
		}),
	}},
}

// elevated shows the checks of low severity, too.
const elevated = "[elevated, hygiene]"

func atNginx(t *testing.T, r *ridden) {
	cacheBounds(t, r)
	whole := r.at(t, "offboard.nothing-of-a-whole-life-survives", "stack")
	for _, c := range whole.Cases { // at uncached what was revoked, or was there when the client was suspended, is dead, and all else lives
		alive := c.Outcome == logbook.Fail
		if slices.Contains(c.Points, "uncached") && alive == (strings.HasPrefix(c.Name, "a revoked token") || strings.HasPrefix(c.Name, "the first token")) {
			t.Errorf("%s: alive is %v", c.Name, alive)
		}
	}
	for _, b := range r.at(t, "offboard.token-outlives-client", "uncached").Bounds {
		if !b.Never || b.Low < b.Limit {
			t.Errorf("a deleted client's opaque token at uncached: %s, want it never refused", b.Describe())
		}
	}
}

// rush is how many checks are decided when most of a ride's requests are made: the rest of it waits for limits and expiry.
const rush = 45

// TestRides rides each plan against a stack of its own, and pins what comes of it. They ride at the same time, but for their
// rushes: two processors are late for six at once, and a late probe cannot tell on which side of a limit the truth lies.
func TestRides(t *testing.T) {
	t.Parallel()
	if missing := Missing(); len(missing) > 0 {
		ForTest(t, Options{}) // says so, in its way
	}
	all := map[string]*ridden{}
	var mu sync.Mutex
	var riding sync.WaitGroup
	for _, one := range rides {
		one.options.Dir = t.TempDir()
		state := t.TempDir()
		rushed := make(chan struct{})
		r := &ridden{dir: one.options.Dir, rushed: sync.OnceFunc(func() { close(rushed) })}
		riding.Go(func() {
			defer r.rushed()
			r.err = r.ride(t.Context(), one.plan, one.options, state)
			mu.Lock()
			all[one.name] = r
			mu.Unlock()
		})
		<-rushed
	}
	riding.Wait()
	for _, one := range rides {
		t.Run(one.name, func(t *testing.T) { all[one.name].judge(t, one.want) })
	}
}

// ridden is a ride that is over.
type ridden struct {
	entries []logbook.Entry
	verdict verdict.Verdict
	text    string // as the terminal shows it
	logs    string // what the systems said, if the ride broke
	err     error
	remains left
	dir     string // of the stack

	decided int
	rushed  func() // called when its rush is over
}

// left is what the operator of oidc-provider finds when a ride is over.
type left struct {
	Clients, Suspended []string // names, ids
	Introspects        bool
}

func remains(ctx context.Context, stack *Stack) (left, error) {
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, stack.Issuer+"/operator/remains", nil)
	if err != nil {
		return left{}, err
	}
	request.Header.Set("Authorization", stack.operator)
	response, err := stranger(stack).http.Do(request)
	if err != nil {
		return left{}, err
	}
	defer response.Body.Close()
	var found left
	return found, json.NewDecoder(response.Body).Decode(&found)
}

// write keeps an entry of the book.
func (r *ridden) write(e logbook.Entry) error {
	r.entries = append(r.entries, e)
	if e.Observation != nil && (e.Observation.Outcome == logbook.Pass || e.Observation.Outcome == logbook.Fail) {
		r.decided++
		if r.decided == rush {
			r.rushed()
		}
	}
	return nil
}

func (r *ridden) ride(ctx context.Context, name string, options Options, state string) error {
	stack, err := Start(ctx, options)
	if err != nil {
		return err
	}
	err = r.against(ctx, stack, name, state)
	if err != nil {
		r.logs = stack.outputs()
	}
	return errors.Join(err, stack.Close())
}

func (r *ridden) against(ctx context.Context, stack *Stack, name, state string) error {
	path, err := stack.Plan(name)
	if err != nil {
		return err
	}
	p, err := plan.Load(path)
	if err != nil {
		return err
	}
	_, err = ride.Run(ctx, ride.Config{
		Plan: p, Catalogue: checks.Catalogue(), Only: strings.Fields(os.Getenv("CHECKRIDE_ONLY")), Tool: "checkride/test",
		Ledger: filepath.Join(state, "ledger.jsonl"), StateDir: state,
		Write: r.write,
	})
	if err != nil {
		return err
	}
	r.remains, err = remains(ctx, stack)
	if err != nil {
		return err
	}
	r.verdict, err = verdict.Of(logbook.Entries(r.entries))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	err = report.Terminal(&out, logbook.Entries(r.entries), report.Options{Width: 160})
	r.text = out.String()
	return err
}

func (r *ridden) judge(t *testing.T, want outcome) {
	if r.err != nil {
		t.Fatalf("%v\n%s", r.err, r.logs)
	}
	t.Log("\n" + r.text)
	fails, unsure := map[string]string{}, map[string]string{}
	passes := 0
	for _, o := range r.observations() {
		switch o.Outcome {
		case logbook.Pass:
			passes++
		case logbook.Fail:
			fails[o.Check] = strings.TrimSpace(fails[o.Check] + " " + o.Point)
		case logbook.Inconclusive:
			unsure[o.Check] = strings.TrimSpace(unsure[o.Check] + " " + o.Point)
		case logbook.Error:
			t.Errorf("%s at %s: the tool broke: %s", o.Check, o.Point, o.Because)
		}
	}
	if diff := cmp.Diff(want.fails, fails); diff != "" {
		t.Errorf("checks that fail (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.unsure, unsure); diff != "" && len(want.unsure)+len(unsure) > 0 {
		t.Errorf("checks that could not tell (-want +got):\n%s", diff)
	}
	if passes < 20 {
		t.Errorf("%d passes", passes)
	}
	if r.verdict.Word != want.word {
		t.Errorf("verdict %v, want %v", r.verdict.Word, want.word)
	}
	for _, group := range r.verdict.Unsure {
		if _, known := want.unsure[group.Check]; !known {
			t.Errorf("%s at %v is left open: %s", group.Check, group.Points, group.Because)
		}
	}
	r.judgeGaps(t, want.gaps)
	r.judgeCleanup(t, want.left)
	if want.look != nil {
		want.look(t, r)
	}
}

// judgeGaps holds that the declared gaps, and no others, are those of the verdict, and that line one names them: the first
// of them by name, and how many more there are.
func (r *ridden) judgeGaps(t *testing.T, want []string) {
	t.Helper()
	var named []string
	for _, gap := range r.verdict.Gaps {
		name, _, _ := strings.Cut(gap.Name, " (")
		if name != "registration" { // the mode's own gap, which the plan does not declare
			named = append(named, strings.TrimSuffix(name, ".*"))
		}
	}
	slices.Sort(named)
	want = slices.Sorted(slices.Values(want))
	if diff := cmp.Diff(want, named); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if _, gaps, _ := strings.Cut(r.verdict.Line, "not tested: "); !strings.HasPrefix(gaps, r.verdict.Gaps[0].Name) {
		t.Errorf("line one does not name the gaps: %s", r.verdict.Line)
	}
}

// judgeCleanup holds that no client stays but those that no client of the server can remove, and that this is said: by the
// ride's own book, and by what the operator finds.
func (r *ridden) judgeCleanup(t *testing.T, want []string) {
	var left []string
	for _, e := range r.entries {
		if e.Removal == nil || e.Removal.Kind != "client" || e.Removal.Gone {
			continue
		}
		left = append(left, e.Removal.Name)
		if !strings.Contains(e.Removal.Detail, "401") {
			t.Errorf("%s is left behind: %q does not say why", e.Removal.Name, e.Removal.Detail)
		}
	}
	if len(left) != len(want) {
		t.Errorf("left behind: %v, want %d", left, len(want))
		return
	}
	if !slices.Equal(r.remains.Clients, left) || len(r.remains.Suspended) > 0 || !r.remains.Introspects {
		t.Errorf("the operator finds %+v, want the clients %v", r.remains, left)
	}
	for i, word := range want {
		if !strings.Contains(left[i], word) {
			t.Errorf("left behind: %s, want a %s", left[i], word)
		}
	}
}

// observations gives the ride's observations in the order of checks and points.
func (r *ridden) observations() []logbook.Observation {
	var all []logbook.Observation
	for _, e := range r.entries {
		if e.Observation != nil {
			all = append(all, *e.Observation)
		}
	}
	slices.SortFunc(all, func(a, b logbook.Observation) int {
		return strings.Compare(a.Check+" "+a.Point, b.Check+" "+b.Point)
	})
	return all
}

func (r *ridden) at(t *testing.T, check, point string) logbook.Observation {
	t.Helper()
	for _, o := range r.observations() {
		if o.Check == check && o.Point == point {
			return o
		}
	}
	t.Fatalf("%s was not asked at %s", check, point)
	return logbook.Observation{}
}

// cacheBounds holds the measured life of a revoked token at nginx against the truth, which is computed: nginx keeps an
// answer through the 15th second after the one in which it came, by its clock of whole seconds, so the token is refused
// from the 16th on. The token that was never used before is refused at once.
func cacheBounds(t *testing.T, r *ridden) {
	o := r.at(t, "revoke.token-outlives-revocation", "cached")
	var revoked []logbook.Entry
	for _, serial := range o.Exchanges {
		e := r.exchange(t, serial)
		if strings.HasSuffix(e.Exchange.URL, "/token/revocation") {
			revoked = append(revoked, e)
		}
	}
	if len(revoked) < 4 || len(o.Bounds) != 4 {
		t.Fatalf("%d revocations, %d bounds, want 4 of each", len(revoked), len(o.Bounds))
	}
	revoked = revoked[len(revoked)-4:] // where a late probe left it open on which side of the limit the truth lies, all was watched once more
	started := r.verdict.Head.Started
	for i, b := range o.Bounds {
		confirmed := started.Add(revoked[i].At + revoked[i].Exchange.Took)
		if b.Name == "never used" {
			if b.Accepted != 0 {
				t.Errorf("never used: %s, want it refused", b.Describe())
			}
			continue
		}
		by := r.firstUse(t, "cached", masked.FindString(revoked[i].Exchange.Request.Body))
		called := started.Add(by.At)
		const lag = 150 * time.Millisecond // nginx's clock goes by its events: it may stand before the second in which we called
		soonest := called.Add(-lag).Truncate(time.Second).Add(16 * time.Second)
		latest := called.Add(by.Exchange.Took + lag).Truncate(time.Second).Add(16 * time.Second)
		if b.Low > latest.Sub(confirmed)+lag || b.High < soonest.Sub(confirmed)-lag {
			t.Errorf("%s: [%v, %v] does not contain the truth, %v to %v", b.Name, b.Low, b.High, soonest.Sub(confirmed), latest.Sub(confirmed))
		}
		if width := b.High - b.Low; b.Name == "watched" && width > 1500*time.Millisecond {
			t.Errorf("%s: [%v, %v] is %v wide", b.Name, b.Low, b.High, width)
		}
		if b.Low <= b.Limit {
			t.Errorf("%s: last accepted after %v, within the limit", b.Name, b.Low)
		}
	}
}

// keyTimes holds the measured life of a withdrawn signing key against the truth. HAProxy is brought the new set within a second
// or two, and the limit is longer. jose looks again when what it fetched last before the withdrawal is as old as it keeps it.
func keyTimes(t *testing.T, r *ridden) {
	o := r.at(t, "rotate.withdrawn-signing-key", "stack")
	var withdrawn logbook.Entry
	for _, serial := range o.Exchanges {
		e := r.exchange(t, serial)
		if strings.Contains(e.Exchange.URL, "/operator/withdraw") {
			withdrawn = e
		}
	}
	if withdrawn.Exchange == nil || len(o.Bounds) != 4 {
		t.Fatalf("withdrawn by %v; %d bounds, want 4", withdrawn.Exchange, len(o.Bounds))
	}
	sent := r.verdict.Head.Started.Add(withdrawn.At)
	said, err := os.ReadFile(filepath.Join(r.dir, "jose", "output.log"))
	if err != nil {
		t.Fatal(err)
	}
	var fetched time.Time
	for _, line := range regexp.MustCompile(`fetches (\S+) `).FindAllStringSubmatch(string(said), -1) {
		at, err := time.Parse(time.RFC3339Nano, line[1])
		if err != nil {
			t.Fatal(err)
		}
		if at.Before(sent) {
			fetched = at
		}
	}
	truth := fetched.Add(keysKept).Sub(sent)
	for _, b := range o.Bounds {
		point, _, _ := strings.Cut(b.Name, ",")
		const lag = time.Second // between the request of the set and its answer, from which jose counts
		switch {
		case point == "offline" && b.High > b.Limit, point == "library" && (b.Low > truth+lag || b.High < truth):
			t.Errorf("%s: %s, and the truth at jose is %v", b.Name, b.Describe(), truth)
		}
	}
}

// masked is how the book shows a token.
var masked = regexp.MustCompile(`\[token \d+\]`)

// firstUse is the first exchange at a point that shows a token: it brings the answer into the point's cache.
func (r *ridden) firstUse(t *testing.T, point, token string) logbook.Entry {
	t.Helper()
	for _, e := range r.entries {
		if e.Exchange != nil && e.Exchange.Point == point && slices.ContainsFunc(e.Exchange.Request.Header, func(f logbook.Field) bool { return strings.Contains(f.Value, token) }) {
			return e
		}
	}
	t.Fatalf("%q was never used at %s", token, point)
	return logbook.Entry{}
}

func (r *ridden) exchange(t *testing.T, serial uint64) logbook.Entry {
	t.Helper()
	for _, e := range r.entries {
		if e.Exchange != nil && e.Exchange.Serial == serial {
			return e
		}
	}
	t.Fatalf("exchange %d is not in the book", serial)
	return logbook.Entry{}
}
