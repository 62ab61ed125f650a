package cast

import (
	"errors"
	"fmt"
)

// MayFail says that the budget allows one more failed authentication of a member: too many may lock it out.
func (c *Cast) MayFail(m *Member) error {
	allowed := c.plan.Budget.FailedAuth.PerClient
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failures[m.ID()] >= allowed {
		return &FactError{
			Fact: "a failed authentication of " + m.Role,
			Err:  fmt.Errorf("the budget of %d for one client is used up; raise budget.failed_auth.per_client if nobody is locked out by that", allowed),
		}
	}
	return nil
}

// Failed counts a failed authentication of a member.
func (c *Cast) Failed(m *Member) {
	c.mu.Lock()
	c.failures[m.ID()]++
	c.mu.Unlock()
}

// Spend says that a given client cannot play any more, and why: it was deleted, or is left suspended. What comes after
// it could not tell, because of that. Clients of the ride's own are nobody else's, so nothing follows from their end.
func (c *Cast) Spend(m *Member, why string) {
	if m.Own {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spent[m.ID()] == "" {
		c.spent[m.ID()] = why
	}
}

func (c *Cast) stillThere(m *Member) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if why := c.spent[m.ID()]; why != "" && !m.Own {
		return &FactError{Fact: m.Role + " as given", Err: errors.New("it " + why + ", and the plan has no other; make it anew, and ride this check alone")}
	}
	return nil
}
