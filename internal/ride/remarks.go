package ride

import (
	"fmt"
	"net/url"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// remarks notes at the end what a reader must know to weigh the rest: how many nodes answered (rule 12), and what of the
// logs could not be read (rules 16 and 17).
func (r *run) remarks() {
	note := func(about, point, format string, values ...any) {
		r.record(logbook.Entry{At: time.Since(r.start), Note: &logbook.Note{About: about, Point: point, Text: fmt.Sprintf(format, values...)}})
	}
	seen := r.wire.Stats().Nodes
	for _, point := range r.cfg.Plan.Points {
		nodes := seen[hostPort(point.URL)]
		exchanges := 0
		for _, n := range nodes {
			exchanges += n
		}
		if exchanges > 0 {
			through := ""
			if r.cfg.Plan.ProxyHost() != "" {
				through = " through the proxy, which chose the node"
			}
			note("nodes", point.Name, "%s answered %s%s%s", count(len(nodes), "address"), count(exchanges, "exchange"), through, bound(len(point.Addresses), exchanges))
		}
	}
	for _, log := range r.logs {
		stats := log.Stats()
		for _, fault := range []struct {
			lines int
			what  string
		}{
			{stats.Garbled, "could not be read as the preset says"},
			{stats.Cut, "were too long, and their ends were not looked at"},
			{stats.Dropped, "with our marker were too many to keep"},
		} {
			if fault.lines > 0 {
				note("audit", log.Name(), "%d lines %s", fault.lines, fault.what)
			}
		}
	}
}

// bound says what n clean tries prove where nodes are unknown: with 95 % confidence fewer than 3 of n are bad, if each
// try meets a node at random.
func bound(known, tries int) string {
	if known > 0 || tries < 30 {
		return ""
	}
	return fmt.Sprintf("; the plan names no addresses: %d clean tries would mean that fewer than %.1f %% of the answers are bad (95 %%), if nodes are met at random", tries, 300/float64(tries))
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if thing == "address" {
		return fmt.Sprintf("%d addresses", n)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// hostPort is where a URL is dialled.
func hostPort(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if parsed.Port() != "" {
		return parsed.Host
	}
	if parsed.Scheme == "http" {
		return parsed.Host + ":80"
	}
	return parsed.Host + ":443"
}
