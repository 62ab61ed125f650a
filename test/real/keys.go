//go:build linux

package real

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keysKept is how long jose keeps a key set: longer than the plan lets a withdrawn key live.
const keysKept = 15 * time.Second

// keysCarried is how often HAProxy's courier looks for other keys.
const keysCarried = time.Second

// courier brings HAProxy the keys that oidc-provider publishes, for HAProxy fetches none: what people have a cron job for.
type courier struct {
	settings settings // its own: the keys change
	client   *http.Client
	haproxy  *process
	cancel   context.CancelFunc
	ended    chan error
}

// carryKeys begins to look, until close.
func (s *Stack) carryKeys(ctx context.Context, haproxy *process) *courier {
	ctx, cancel := context.WithCancel(ctx)
	c := &courier{settings: s.settings, client: &http.Client{Transport: s.authority.transport(nil), Timeout: patience}, haproxy: haproxy, cancel: cancel, ended: make(chan error, 1)}
	go func() {
		again := time.NewTicker(keysCarried)
		defer again.Stop()
		for {
			select {
			case <-ctx.Done():
				c.ended <- nil
				return
			case <-again.C:
			}
			err := c.carry(ctx)
			if err != nil && ctx.Err() == nil {
				c.ended <- err
				return
			}
		}
	}()
	return c
}

// close gives the error that ended it; further calls give none.
func (c *courier) close() error {
	c.cancel()
	err := <-c.ended
	c.ended <- nil
	return err
}

// carry has HAProxy loaded anew if the published keys are others than before.
func (c *courier) carry(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.settings.Issuer+"/jwks", nil)
	if err != nil {
		return err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return fmt.Errorf("bring HAProxy the keys: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var set jose.JSONWebKeySet
	err = json.NewDecoder(response.Body).Decode(&set)
	if err != nil {
		return fmt.Errorf("bring HAProxy the keys: %w", err)
	}
	var files []string
	for _, key := range set.Keys {
		public, ok := key.Key.(*ecdsa.PublicKey)
		if !ok {
			continue
		}
		file := filepath.Join(c.settings.Dir, "haproxy", key.KeyID+".pem")
		files = append(files, file)
		if slices.Contains(c.settings.SigningKeys, file) {
			continue
		}
		err = layPublic(public, file)
		if err != nil {
			return err
		}
	}
	if slices.Equal(files, c.settings.SigningKeys) {
		return nil
	}
	c.settings.SigningKeys = files
	err = c.settings.fill("configs/haproxy.cfg", filepath.Join(c.settings.Dir, "haproxy", "haproxy.cfg"))
	if err != nil {
		return err
	}
	return c.haproxy.cmd.Process.Signal(syscall.SIGUSR2)
}
