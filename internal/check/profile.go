package check

import "github.com/checkride/checkride/internal/profile"

// Profile gives what the plan's profiles demand, for checks whose promise depends on it: a standard's MAY that a profile
// makes a must.
func (p *Pass) Profile() profile.Demands { return p.Stack.Plan.Profiles().Demands }

// ProfileName names the plan's profiles, to say who demands it.
func (p *Pass) ProfileName() string { return p.Stack.Plan.Profiles().String() }
