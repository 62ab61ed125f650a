package ride

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// finish has removed what was created, and closes the book. A stopped ride cleans up all the same.
func (r *run) finish(ctx context.Context) []string {
	interrupted := ""
	if ctx.Err() != nil {
		interrupted = "stopped: " + context.Cause(ctx).Error()
	}
	created := r.cast.Created()
	left := r.remove(ctx, created["certificates"])
	r.staying()
	r.remarks()
	stats := r.wire.Stats()
	end := &logbook.End{
		Finished: time.Now().UTC(), Took: time.Since(r.start), LongestWait: r.stack.LongestWait(), Requests: int(stats.Requests), PeakRate: stats.PeakRate,
		PeakMemory: peakMemory(), Created: created, Left: left, Interrupted: interrupted, Budget: r.cast.Budget(),
		FirstCall: r.stack.FirstCall(), Hooks: r.cast.Hooks(),
	}
	if len(left) > 0 {
		end.LeftCommand = "checkride cleanup " + r.cfg.Ledger
	}
	r.record(logbook.Entry{At: time.Since(r.start), End: end})
	return left
}

// remove removes what was created, tries it, and gives what is left.
func (r *run) remove(ctx context.Context, made int) []string {
	if r.cfg.Disposable {
		return nil
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	var left []string
	for _, removal := range r.cast.Clean(clean) {
		if r.cfg.Rules.TrustDeletion {
			removal.Gone = true
		}
		r.record(logbook.Entry{At: time.Since(r.start), Removal: &removal})
		if !removal.Gone {
			left = append(left, removal.Kind+" "+removal.Name)
		}
	}
	if removal := r.stack.TryTokens(clean); removal != nil {
		r.record(logbook.Entry{At: time.Since(r.start), Removal: removal})
	}
	if made > 0 {
		certificates := &logbook.Removal{
			Kind: "certificates", Name: fmt.Sprintf("(%d) of the test CA", made), Gone: true, Tried: true,
			Detail: "each was shown once more by its client after the client's removal; they expire within two days",
		}
		if len(left) > 0 {
			certificates.Name, certificates.Gone = "of the clients that are left", false
		}
		r.record(logbook.Entry{At: time.Since(r.start), Removal: certificates})
	}
	return left
}

func (r *run) close() {
	for _, log := range r.logs {
		_ = log.Close()
	}
	if r.canary != nil {
		_ = r.canary.Close()
	}
	if r.wire != nil {
		r.wire.Close()
	}
	if r.ledger != nil {
		_ = r.ledger.Close()
	}
	r.lease.end()
}

// peakMemory is the process's largest resident set so far where the system tells it, else what the runtime took.
func peakMemory() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) == 3 && fields[0] == "VmHWM:" {
				kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
				if err == nil {
					return kilobytes << 10
				}
			}
		}
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.Sys)
}
