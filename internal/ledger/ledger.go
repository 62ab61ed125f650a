// Package ledger is what a ride created in the stack and must remove again. Each creation is written down, and on the
// disk, before it is tried, so that it can be removed even after a crash. Registration tokens are sealed.
//
// Start with [Open], which a ride appends to, and with [Read], which the cleanup of a dead ride reads.
package ledger

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/secret"
)

// Intent is what is about to be created.
type Intent struct {
	Kind   string    `json:"kind"`             // client
	Name   string    `json:"name"`             // the unique client_name, by which it can be found when all else was lost
	Server string    `json:"server,omitempty"` // the authorization server, as the plan names it
	Ride   string    `json:"ride,omitempty"`
	Plan   string    `json:"plan,omitempty"` // the plan's file
	At     time.Time `json:"at,omitzero"`
}

// Item is one thing that was created, or that may have been: when the ride died between the intent and the answer.
type Item struct {
	ID string
	Intent
	Created  bool // it is known to be there; else it may be
	ClientID string
	URI      string      // registration_client_uri
	Token    secret.Text // the newest registration token that is known
}

// Ledger appends to a file. Its methods may be called from several goroutines; each returns when its line is on the
// disk.
type Ledger struct {
	path   string
	vault  vault
	mu     sync.Mutex // held over write and fsync only
	file   *os.File
	flimsy bool // nothing waits for the disk
	state  state
	torn   bool // the last line has no end: begin the next on a line of its own
	damage error
}

// Open opens the ledger at path for a ride, or begins it; key is 32 bytes ([KeyFrom]). What is left of former rides
// stays in it. Lines that a crash has cut do not hinder: see [Ledger.Damage]. A key that does not fit is a
// [*WrongKey].
func Open(path string, key []byte, keep *secret.Keeper) (*Ledger, error) {
	v, err := newVault(key)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w; give a place that can be written", err)
	}
	l := &Ledger{path: path, vault: v, file: file}
	err = l.begin(keep)
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, err
	}
	return l, nil
}

func (l *Ledger) begin(keep *secret.Keeper) error {
	data, err := os.ReadFile(l.path)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	s, err := replay(l.path, data, l.vault, keep)
	var wrong *WrongKey
	var newer *NewerVersion
	if errors.As(err, &wrong) || errors.As(err, &newer) {
		return err
	}
	l.state, l.damage = s, err
	l.torn = len(data) > 0 && data[len(data)-1] != '\n'
	if s.headed {
		return nil
	}
	err = l.append(line{Version: version, Check: l.vault.seal(checkText, checkText)})
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(l.path))
}

// Flimsy lets what is written from now on not wait for the disk: what the ride creates goes with its stack, and no
// cleanup will read the ledger.
func (l *Ledger) Flimsy() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flimsy = true
}

// Damage is what was unreadable in the file when it was opened, or nil. An intent in a cut line was never acted on,
// since Intend had not returned.
func (l *Ledger) Damage() error { return l.damage }

// Intend writes down what is about to be created, and gives its id. Only then may it be created.
func (l *Ledger) Intend(i Intent) (string, error) {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	id := hex.EncodeToString(b[:])
	if i.Name == "" {
		return "", errors.New("ledger: an intent needs a unique name, by which what it creates can be found again")
	}
	return id, l.write(line{Do: intended, ID: id, Intent: &i})
}

// Created writes down how to remove what was created.
func (l *Ledger) Created(id, clientID, uri string, token secret.Text) error {
	return l.sealed(line{Do: created, ID: id, ClientID: clientID, URI: uri}, token)
}

// Updated writes down that a registration token has taken the place of the old one (RFC 7592 §2.1, §2.2).
func (l *Ledger) Updated(id string, token secret.Text) error {
	return l.sealed(line{Do: updated, ID: id}, token)
}

// Removed writes down that it is proven gone.
func (l *Ledger) Removed(id string) error { return l.write(line{Do: removed, ID: id}) }

// Left is what is not proven removed, former rides' too, in the order of the intents.
func (l *Ledger) Left() []Item {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.left()
}

// Close closes the file. What was written is on the disk already.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// sealed writes a line with a token in it.
func (l *Ledger) sealed(entry line, token secret.Text) error {
	if !token.Empty() {
		entry.Token = l.vault.seal(token.Reveal(), entry.place())
	}
	entry.text = token
	return l.write(entry)
}

func (l *Ledger) write(entry line) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.state.fits(entry)
	if err != nil {
		return err
	}
	err = l.append(entry)
	if err != nil {
		return err
	}
	l.state.apply(entry)
	return nil
}

func (l *Ledger) append(entry line) error {
	data, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("ledger %s: %w", l.path, err)
	}
	data = append(data, '\n')
	if l.torn {
		data = append([]byte{'\n'}, data...)
	}
	l.torn = true // until the whole line is known to be there
	_, err = l.file.Write(data)
	if err != nil {
		return fmt.Errorf("ledger: %w; make room, nothing is created that is not written down", err)
	}
	l.torn = false
	if l.flimsy {
		return nil
	}
	err = l.file.Sync()
	if err != nil {
		return fmt.Errorf("ledger: %w; nothing is created that is not on the disk", err)
	}
	return nil
}

// syncDir makes the new file's name last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer d.Close()
	_ = d.Sync() // some file systems cannot, and then need not
	return nil
}
