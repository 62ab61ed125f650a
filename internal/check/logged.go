package check

import (
	"context"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// Logged waits for the records of an exchange in the logs that cover a place, and keeps them as evidence. None within
// the agreed delay gives an empty list and no error; a log that cannot be read is an error.
func (p *Pass) Logged(ctx context.Context, place string, x wire.Exchange) ([]audit.Match, error) {
	logs := p.Stack.Logs[place]
	if len(logs) == 0 {
		return nil, NotApplicable("no audit log covers %s", place)
	}
	var all []audit.Match
	p.stand()
	for _, log := range logs {
		matches, err := log.Wait(ctx, x.Trace, p.Limits.LogDelay.D()+log.Delay())
		if err != nil {
			return nil, CannotTell("audit log %s: %v", log.Name(), err)
		}
		all = append(all, matches...)
	}
	err := p.sit(ctx)
	if err != nil {
		return nil, err
	}
	for _, match := range all {
		p.keep(x, match)
		for range match.Copies - 1 {
			if p.Stack.Rules.NoDedupe {
				all = append(all, match)
			}
		}
	}
	return all, nil
}

func (p *Pass) keep(x wire.Exchange, match audit.Match) {
	s := p.Stack
	s.mu.Lock()
	s.records++
	serial := s.records
	s.mu.Unlock()
	fields := map[string]string{}
	for name, value := range match.Fields {
		fields[name] = s.Keeper.Mask(value)
	}
	entry := match.Entry(x.Serial, x.Sent)
	entry.Serial, entry.Fields = serial, fields
	s.Record(logbook.Entry{At: match.Observed.Sub(s.Since), Record: &entry})
	p.observation.Records = append(p.observation.Records, serial)
}
