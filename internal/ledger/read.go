package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/checkride/checkride/internal/secret"
)

const version = 1

const (
	intended = "intend"
	created  = "created"
	updated  = "updated"
	removed  = "removed"
)

// line is one line of the file.
type line struct {
	Version  int     `json:"v,omitempty"`
	Check    string  `json:"check,omitempty"` // a known text, sealed: tells a wrong key
	Do       string  `json:"do,omitempty"`
	ID       string  `json:"id,omitempty"`
	Intent   *Intent `json:"intent,omitempty"`
	ClientID string  `json:"client_id,omitempty"`
	URI      string  `json:"uri,omitempty"`
	Token    string  `json:"sealed,omitempty"`

	text secret.Text // Token, opened
}

// place binds a sealed text to its line.
func (l line) place() string { return l.ID + " " + l.Do }

// NewerVersion says that a newer program wrote the ledger.
type NewerVersion struct {
	Path    string
	Version int
}

func (e *NewerVersion) Error() string {
	return fmt.Sprintf("ledger %s has version %d and this program reads %d; use the newer program", e.Path, e.Version, version)
}

// Read gives what is not proven removed, in the order of the intents. A line that is cut or garbled is an error that
// names its place; all that the good lines say is given beside it. With a key that does not fit ([*WrongKey]) the
// items lack their tokens.
func Read(path string, key []byte, keep *secret.Keeper) ([]Item, error) {
	v, err := newVault(key)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w; name the ledger of the ride that is to be cleaned up", err)
	}
	s, err := replay(path, data, v, keep)
	return s.left(), err
}

// replay applies the good lines and gathers what is wrong with the others.
func replay(path string, data []byte, v vault, keep *secret.Keeper) (state, error) {
	s := state{items: map[string]*Item{}}
	var faults []error
	fault := func(number, at int, err error) {
		if len(faults) < 20 {
			faults = append(faults, fmt.Errorf("ledger %s:%d (byte %d): %w", path, number, at, err))
		}
	}
	at := 0
	wrong := false
	for number := 1; at < len(data); number++ {
		text, _, ended := bytes.Cut(data[at:], []byte{'\n'})
		start := at
		at += len(text) + 1
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var entry line
		err := json.Unmarshal(text, &entry)
		if err != nil {
			fault(number, start, unreadable(ended))
			continue
		}
		if entry.Version > version {
			return s, &NewerVersion{Path: path, Version: entry.Version}
		}
		err = entry.open(v, keep)
		if err != nil {
			wrong = wrong || entry.Version != 0 // the check does not open: no line will
			if !wrong {
				fault(number, start, err)
			}
		}
		err = s.fits(entry)
		if err != nil {
			fault(number, start, err)
			s.adopt(entry)
		}
		s.apply(entry)
	}
	if wrong {
		faults = append([]error{&WrongKey{Path: path}}, faults...)
	}
	return s, errors.Join(faults...)
}

func unreadable(ended bool) error {
	if ended {
		return errors.New("the line is garbled; what it said is lost, so look in the stack for clients of this ride")
	}
	return errors.New("the last line is cut, as by a crash; what it said is lost, so look in the stack for clients of this ride")
}

// open opens the sealed text of a line.
func (l *line) open(v vault, keep *secret.Keeper) error {
	if l.Version != 0 {
		_, err := v.open(l.Check, checkText)
		return err
	}
	if l.Token == "" {
		return nil
	}
	text, err := v.open(l.Token, l.place())
	if err != nil {
		return errors.New("the sealed token does not open: it was changed, or sealed with another key")
	}
	l.text = keep.Keep("token", text)
	return nil
}

// state is what the lines so far amount to.
type state struct {
	headed bool
	order  []string
	items  map[string]*Item // without what was removed
	gone   map[string]bool
}

// fits says whether a line makes sense after those before it.
func (s *state) fits(l line) error {
	switch l.Do {
	case intended:
		if l.ID == "" || l.Intent == nil {
			return errors.New("ledger: an intent without id or content")
		}
	case created, updated, removed:
		if s.items[l.ID] == nil && !s.gone[l.ID] {
			return fmt.Errorf("ledger: %s of %q, of which no intent is written down; call Intend first", l.Do, l.ID)
		}
	}
	return nil // what a newer program says beyond this is skipped
}

// adopt makes room for a creation whose intent is lost: it can be removed without its name.
func (s *state) adopt(l line) {
	if l.Do == created && l.ID != "" {
		s.items[l.ID] = &Item{ID: l.ID}
		s.order = append(s.order, l.ID)
	}
}

func (s *state) apply(l line) {
	if l.Version != 0 {
		s.headed = true
	}
	if l.Do == intended && l.Intent != nil {
		s.items[l.ID] = &Item{ID: l.ID, Intent: *l.Intent}
		s.order = append(s.order, l.ID)
		return
	}
	item := s.items[l.ID]
	if item == nil {
		return
	}
	switch l.Do {
	case created:
		item.Created, item.ClientID, item.URI, item.Token = true, l.ClientID, l.URI, l.text
	case updated:
		item.Token = l.text
	case removed:
		if s.gone == nil {
			s.gone = map[string]bool{}
		}
		s.gone[l.ID] = true
		delete(s.items, l.ID)
	}
}

func (s *state) left() []Item {
	var all []Item
	for _, id := range s.order {
		if item := s.items[id]; item != nil {
			all = append(all, *item)
		}
	}
	return all
}
