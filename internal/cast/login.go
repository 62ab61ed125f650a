package cast

// Usual is the wish with which the member asks for tokens day by day: that for the first point which takes tokens of its
// server. A server may demand a resource, or make other tokens without one.
func (m *Member) Usual() TokenWish { return m.optionsFor(m.cast.firstPoint(m.Server.Name)) }

// ForgetTokens drops the member's shared tokens: they were made to die, and the next who asks needs living ones.
func (m *Member) ForgetTokens() {
	id := m.ID()
	m.cast.mu.Lock()
	defer m.cast.mu.Unlock()
	for key := range m.cast.shared {
		if len(key) > len(id) && key[:len(id)+1] == id+"|" {
			delete(m.cast.shared, key)
		}
	}
}

// ForgetTokens drops everybody's shared tokens: the key that signed them is gone.
func (c *Cast) ForgetTokens() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.shared)
}
