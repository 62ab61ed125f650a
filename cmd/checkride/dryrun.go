package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/profile"
	"github.com/checkride/checkride/internal/ride"
	"github.com/checkride/checkride/internal/verdict"
)

// dryRun says what a ride would do: what is created, where it goes and how fast, what runs, what is left out and why.
func dryRun(w io.Writer, cfg ride.Config) error {
	due, longest, err := ride.Preview(cfg)
	if err != nil {
		return &misuse{err: err}
	}
	hosts, err := cfg.Plan.Dials()
	if err != nil {
		return &misuse{err: err}
	}
	for _, host := range hosts {
		if len(cfg.AllowHosts) > 0 && !slices.Contains(cfg.AllowHosts, host) {
			return misused("add it to --allow-host, or take it out of the plan", "the plan names %s, which is not among the allowed hosts", host)
		}
	}
	p := cfg.Plan
	fmt.Fprintf(w, "nothing is sent: this is what a ride of %s (%s) would do\n\n", p.Name, p.Environment)
	say := func(label, format string, values ...any) {
		fmt.Fprintf(w, "%-10s %s\n", label, fmt.Sprintf(format, values...))
	}
	say("creates", "%s", creates(p))
	say("budget", "%s, %s, %s for one client", verdict.Count(p.Budget.Tokens, "token"), verdict.Count(p.Budget.Registrations, "registration"), verdict.Count(p.Budget.FailedAuth.PerClient, "failed login"))
	say("rate", "%s", rate(p))
	say("takes", "about %s: the longest unavoidable wait", verdict.Time(longest))
	say("profile", "%s; catalogue %s", p.Profiles(), cmp.Or(p.Catalogue, profile.Current))
	for _, lowered := range p.Source.Lowered {
		say("", "%s: %s", lowered.Promise, lowered)
	}
	if by := p.Authorization; by != nil && len(p.Allow) > 0 {
		say("allows", "%s: by %s (%s), until %s", strings.Join(p.Allow, ", "), by.Approver, by.Ticket, by.Until)
	}
	say("dials", "%s", strings.Join(hosts, " "))
	if proxy := p.ProxyHost(); proxy != "" {
		say("", "through the proxy %s, all but this machine itself", proxy)
	}
	if places := p.UsesExec(); len(places) > 0 {
		say("runs", "%s, with --allow-exec", strings.Join(places, " "))
	}
	fmt.Fprintln(w)
	return roll(w, due)
}

func creates(p *plan.Plan) string {
	if waiting := p.Waiting(); len(waiting) > 0 {
		return "no client: people make " + verdict.List(waiting, len(waiting)) + " while the ride is parked; then their tokens"
	}
	switch p.Registration.Mode {
	case "dcr":
		return "clients (RFC 7591) and their tokens; each is written down before, and removed at the end"
	case "hook":
		return "clients by the hook provision, and their tokens; each is removed at the end"
	}
	return "tokens of the given clients; no client"
}

func rate(p *plan.Plan) string {
	most := "unlimited"
	if p.Pace.RequestsPerSecond > 0 {
		most = fmt.Sprintf("at most %g requests per second", p.Pace.RequestsPerSecond)
	}
	return fmt.Sprintf("%s and %d at once, for each host; an answer is waited for %v", most, p.Pace.Concurrency, p.Pace.Timeout.D().Round(time.Millisecond))
}

// roll lists what runs with its places, then what is left out with its reason.
func roll(w io.Writer, due []logbook.Due) error {
	runs := group(due, func(d logbook.Due) string { return "" }, func(d logbook.Due) bool { return d.LeftOut == "" })
	left := group(due, func(d logbook.Due) string { return d.LeftOut }, func(d logbook.Due) bool { return d.LeftOut != "" })
	fmt.Fprintf(w, "runs %s\n", verdict.Count(len(runs), "check"))
	for _, g := range runs {
		fmt.Fprintf(w, "  %-44s %s\n", g.check, strings.Join(g.places, ", "))
	}
	if len(left) == 0 {
		_, err := fmt.Fprintln(w, "leaves out nothing")
		return err
	}
	fmt.Fprintln(w, "leaves out")
	var err error
	for _, g := range left {
		where := strings.Join(g.places, ", ")
		if where != "" {
			where += ": "
		}
		_, err = fmt.Fprintf(w, "  %-44s %s%s\n", g.check, where, g.why)
	}
	return err
}

type grouped struct {
	check, why string
	places     []string
}

// group gathers the places of a check that share a reason, in the order of the roll.
func group(due []logbook.Due, why func(logbook.Due) string, wanted func(logbook.Due) bool) []*grouped {
	var all []*grouped
	for _, d := range due {
		if !wanted(d) {
			continue
		}
		i := slices.IndexFunc(all, func(g *grouped) bool { return g.check == d.Check && g.why == why(d) })
		if i < 0 {
			all = append(all, &grouped{check: d.Check, why: why(d)})
			i = len(all) - 1
		}
		all[i].places = append(all[i].places, d.Point)
	}
	return all
}
