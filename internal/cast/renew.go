package cast

import "github.com/checkride/checkride/internal/oauth"

// Renew changes what a member proves itself with. A given client may be played more than once in a ride: all who play it,
// and all who will, get the change.
func (c *Cast) Renew(member *Member, change func(*oauth.Client)) {
	member.Change(change)
	if member.Own {
		return
	}
	c.mu.Lock()
	if c.renewed == nil {
		c.renewed = map[string][]func(*oauth.Client){}
	}
	id := member.ID()
	c.renewed[id] = append(c.renewed[id], change)
	players := append([]*Member(nil), c.players[id]...)
	c.mu.Unlock()
	for _, player := range players {
		if player != member {
			player.Change(change)
		}
	}
}

// plays keeps in mind who plays a given client, and gives it what the client was renewed with.
func (c *Cast) plays(member *Member) *Member {
	c.mu.Lock()
	if c.players == nil {
		c.players = map[string][]*Member{}
	}
	id := member.client.ID
	c.players[id] = append(c.players[id], member)
	changes := c.renewed[id]
	c.mu.Unlock()
	for _, change := range changes {
		member.Change(change)
	}
	return member
}
