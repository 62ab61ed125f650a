// Package cleanup removes what a killed ride left in the stack, by its ledger and its plan.
//
// Start with [Open], which reads a ledger, and with [Job.Clean]. What has a registration token is deleted with it (RFC
// 7592 §2.3), and tried. Of what was asked for and never answered, only the unique name is known: the plan's hooks
// find_client and delete_client find and remove it. What is not proven gone is told by name.
package cleanup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/ledger"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Job is one ledger that is to be cleaned up. Close it.
type Job struct {
	keeper *secret.Keeper
	ledger *ledger.Ledger
	items  []ledger.Item
}

// Open reads a ledger with the key that its ride had ([ledger.KeyFrom]). It is an error if there is none, for a ledger that one makes by reading it says that all is well.
func Open(path, stateDir string) (*Job, error) {
	_, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w; name the ledger.jsonl in the folder of the ride", err)
	}
	key, err := ledger.KeyFrom(os.LookupEnv, stateDir)
	if err != nil {
		return nil, err
	}
	job := &Job{keeper: secret.NewKeeper()}
	job.ledger, err = ledger.Open(path, key, job.keeper)
	if err != nil {
		return nil, err
	}
	job.items = job.ledger.Left()
	return job, nil
}

// Left is what is not proven gone.
func (j *Job) Left() []ledger.Item { return j.ledger.Left() }

// Damage is what could not be read of the ledger, or nil: what those lines said is lost.
func (j *Job) Damage() error { return j.ledger.Damage() }

// Close closes the ledger.
func (j *Job) Close() error { return j.ledger.Close() }

// Plan is the file of the ride's plan, and the time of the ride: limits and exclusions held then, and may have ended
// since. The path is empty if no line tells it.
func (j *Job) Plan() (string, time.Time) {
	i := slices.IndexFunc(j.items, func(item ledger.Item) bool { return item.Plan != "" })
	if i < 0 {
		return "", time.Time{}
	}
	return j.items[i].Plan, j.items[i].At
}

// Config is what a cleanup needs beside its ledger.
type Config struct {
	Plan      *plan.Plan
	AllowExec bool                                                                 // for hooks that are commands
	Dial      func(ctx context.Context, network, address string) (net.Conn, error) // nil: net.Dialer
	Tool      string                                                               // name and version
}

// Fate is what became of one item.
type Fate struct {
	ledger.Item
	Gone   bool   // proven
	Detail string // how it was removed, or why it may still be there
}

// Clean removes what is left and tells the fate of each. Only hosts of the plan are dialled. An error means that it could
// not begin.
func (j *Job) Clean(ctx context.Context, cfg Config) ([]Fate, error) {
	c, err := j.cleaner(cfg)
	if err != nil {
		return nil, err
	}
	defer c.wire.Close()
	items := slices.Clone(j.items)
	// What was never answered comes last: it may still be on its way into the stack.
	slices.SortStableFunc(items, func(a, b ledger.Item) int {
		switch {
		case a.Created == b.Created:
			return 0
		case a.Created:
			return -1
		}
		return 1
	})
	fates := make([]Fate, 0, len(items))
	for _, item := range items {
		fate := c.remove(ctx, item)
		fate.Detail = j.keeper.Mask(fate.Detail)
		if fate.Gone {
			err = j.ledger.Removed(item.ID)
			if err != nil {
				return fates, err
			}
		}
		fates = append(fates, fate)
	}
	return fates, nil
}

// cleaner is one cleanup under way.
type cleaner struct {
	plan   *plan.Plan
	values plan.Resolver
	wire   *wire.Wire
	hooks  *cast.Cast
	ledger *ledger.Ledger
	keeper *secret.Keeper
}

func (j *Job) cleaner(cfg Config) (*cleaner, error) {
	resolver := cfg.Plan.Resolver(j.keeper, cfg.AllowExec)
	allowed, err := cfg.Plan.Hosts()
	if err != nil {
		return nil, err
	}
	roots, err := j.roots(cfg.Plan, resolver)
	if err != nil {
		return nil, err
	}
	var marker [8]byte
	_, _ = rand.Read(marker[:]) // never fails (crypto/rand)
	pace := cfg.Plan.Pace
	proxy, err := cast.Proxy(cfg.Plan, resolver)
	if err != nil {
		return nil, err
	}
	w, err := wire.New(wire.Config{
		Ride: hex.EncodeToString(marker[:]), Agent: cfg.Tool + " (cleanup)", Keeper: j.keeper, Record: func(logbook.Entry) {}, Since: time.Now(),
		Allow: allowed, Dial: cfg.Dial, Proxy: proxy, Roots: roots, Rate: pace.RequestsPerSecond, Concurrency: pace.Concurrency, Timeout: pace.Timeout.D(),
	})
	if err != nil {
		return nil, err
	}
	hooked := *cfg.Plan
	hooked.Clients, hooked.Registration.Statement = nil, nil // hooks need no member of the cast, nor its keys
	hooks, err := cast.New(cast.Config{Plan: &hooked, Do: w, Keeper: j.keeper, Resolver: resolver})
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return &cleaner{plan: cfg.Plan, values: resolver, wire: w, hooks: hooks, ledger: j.ledger, keeper: j.keeper}, nil
}

// remove tries all ways, the partner's own first.
func (c *cleaner) remove(ctx context.Context, item ledger.Item) Fate {
	fate := Fate{Item: item}
	if !item.Created {
		fate.Gone, fate.Detail = c.byName(ctx, item)
		return fate
	}
	c.deprovision(ctx, item.ClientID)
	var why string
	fate.Gone, fate.Detail = c.byToken(ctx, item)
	if !fate.Gone {
		fate.Gone, why = c.byHook(ctx, item)
	}
	if fate.Gone && why != "" {
		fate.Detail = why
	}
	if !fate.Gone && why != "" {
		fate.Detail += "; " + why
	}
	return fate
}

// byToken deletes a client as the client itself does, and then tries its registration token, which must be dead (RFC
// 7592 §2.3).
func (c *cleaner) byToken(ctx context.Context, item ledger.Item) (bool, string) {
	client, server := clientOf(item)
	if item.URI == "" || item.Token.Empty() {
		return false, "the authorization server gave no registration token"
	}
	var err error
	client.RegistrationCertificate, err = c.hooks.ManagementCertificate(ctx, c.plan, item.Name)
	if err != nil {
		return false, err.Error()
	}
	deleted, err := c.wire.Do(ctx, cleaning(client.DeleteRequest(server)))
	if err != nil {
		return false, err.Error()
	}
	decision, why := oauth.ConfigurationDecision(deleted)
	if decision != wire.Accepted {
		// A refusal proves nothing: the client may be gone, or its token may have been replaced before the ride died.
		return false, "the deletion was not accepted: " + why
	}
	gone, why := c.within(ctx, time.Now(), func() (bool, string) { return c.dead(ctx, client, server) })
	if !gone {
		return false, "the server says that it is deleted, and " + why
	}
	if !c.hooks.HasHook(plan.FindClient) || item.Name == "" {
		return true, "deleted, and its registration token is refused"
	}
	found, err := c.find(ctx, item.Name)
	if err != nil || len(found) > 0 {
		return false, "the server says that it is deleted, and it is still listed"
	}
	return true, "deleted, its registration token is refused, and it is listed no more"
}

// dead tries a registration token on fresh connections: replicas may differ.
func (c *cleaner) dead(ctx context.Context, client oauth.Client, server oauth.Server) (bool, string) {
	for range 2 {
		request := cleaning(client.ReadRequest(server))
		request.Over.Fresh = true
		read, err := c.wire.Do(ctx, request)
		if err != nil {
			return false, err.Error()
		}
		// Not 405: a server without reading says that of every client.
		if read.Status != http.StatusUnauthorized && read.Status != http.StatusForbidden && read.Status != http.StatusNotFound {
			_, why := oauth.ConfigurationDecision(read)
			return false, "its registration token is answered with " + why
		}
	}
	return true, ""
}

// byHook removes a client that is known by its id, in the operator's way.
func (c *cleaner) byHook(ctx context.Context, item ledger.Item) (bool, string) {
	if !c.hooks.HasHook(plan.FindClient) || item.Name == "" {
		return c.blind(ctx, item)
	}
	found, err := c.find(ctx, item.Name)
	if err != nil {
		return false, err.Error()
	}
	if len(found) == 0 {
		return true, "the operator lists it no more"
	}
	return c.delete(ctx, item, found)
}

// blind deletes without a list in which one could look. The registration token is the only witness: it must have worked
// before and be dead after.
func (c *cleaner) blind(ctx context.Context, item ledger.Item) (bool, string) {
	if !c.hooks.HasHook(plan.DeleteClient) || item.ClientID == "" {
		return false, "the plan has no hooks find_client and delete_client"
	}
	client, server := clientOf(item)
	var err error
	client.RegistrationCertificate, err = c.hooks.ManagementCertificate(ctx, c.plan, item.Name)
	if err != nil {
		return false, err.Error()
	}
	alive := false
	if !item.Token.Empty() && item.URI != "" {
		read, err := c.wire.Do(ctx, cleaning(client.ReadRequest(server)))
		if err != nil {
			return false, err.Error()
		}
		alive = read.Status == http.StatusOK
	}
	err = c.hook(ctx, plan.DeleteClient, map[string]string{"client_id": item.ClientID, "client_name": item.Name})
	if err != nil {
		return false, err.Error()
	}
	if !alive {
		return false, "delete_client was called, and without find_client nothing shows that it is gone"
	}
	gone, why := c.within(ctx, time.Now(), func() (bool, string) { return c.dead(ctx, client, server) })
	if !gone {
		return false, "delete_client was called, and " + why
	}
	return true, "removed by delete_client, and its registration token is refused"
}

// byName looks for a client of which only the name is known. A registration may still be on its way, and a list may lag:
// it is looked for until the plan's settle budget after the intent has passed.
func (c *cleaner) byName(ctx context.Context, item ledger.Item) (bool, string) {
	if !c.hooks.HasHook(plan.FindClient) {
		return false, "its registration was never answered, so it may be there; the plan has no hook find_client"
	}
	var found []string
	never, why := c.stays(ctx, item.At, func() (bool, string) {
		var err error
		found, err = c.find(ctx, item.Name)
		if err != nil {
			return false, err.Error()
		}
		return len(found) == 0, ""
	})
	if never {
		return true, "it was never registered"
	}
	if len(found) == 0 {
		return false, why
	}
	return c.delete(ctx, item, found)
}

// delete removes clients by their ids and looks whether they are gone.
func (c *cleaner) delete(ctx context.Context, item ledger.Item, found []string) (bool, string) {
	if !c.hooks.HasHook(plan.DeleteClient) {
		return false, "it is there, and the plan has no hook delete_client"
	}
	for _, id := range found {
		c.deprovision(ctx, id)
		err := c.hook(ctx, plan.DeleteClient, map[string]string{"client_id": id, "client_name": item.Name})
		if err != nil {
			return false, err.Error()
		}
	}
	gone, why := c.within(ctx, time.Now(), func() (bool, string) {
		found, err := c.find(ctx, item.Name)
		if err != nil {
			return false, err.Error()
		}
		return len(found) == 0, "it is still listed"
	})
	if !gone {
		return false, "delete_client was called, and " + why
	}
	return true, "removed by delete_client, and listed no more"
}

// deprovision ends what the operator gave to a client beside its registration. The deletion that follows is what is
// proven, so an error here is none of the fate.
func (c *cleaner) deprovision(ctx context.Context, id string) {
	if id != "" && c.hooks.HasHook(plan.Deprovision) {
		_ = c.hook(ctx, plan.Deprovision, map[string]string{"client_id": id})
	}
}

func (c *cleaner) hook(ctx context.Context, name string, values map[string]string) error {
	_, err := c.hooks.Hook(ctx, name, nil, values)
	return err
}

// pause lies between two looks.
const pause = 200 * time.Millisecond

// within waits until something holds, at most for the plan's settle budget.
func (c *cleaner) within(ctx context.Context, since time.Time, holds func() (bool, string)) (bool, string) {
	for {
		ok, why := holds()
		if ok || time.Since(since) > c.plan.Limits.Settle.D() {
			return ok, why
		}
		err := cast.Sleep(ctx, pause)
		if err != nil {
			return false, err.Error()
		}
	}
}

// stays wants that something holds until the plan's settle budget has passed.
func (c *cleaner) stays(ctx context.Context, since time.Time, holds func() (bool, string)) (bool, string) {
	for {
		ok, why := holds()
		if !ok || time.Since(since) > c.plan.Limits.Settle.D() {
			return ok, why
		}
		err := cast.Sleep(ctx, pause)
		if err != nil {
			return false, err.Error()
		}
	}
}

func clientOf(item ledger.Item) (oauth.Client, oauth.Server) {
	client := oauth.Client{Name: item.Name, ID: item.ClientID, RegistrationToken: item.Token, RegistrationURI: item.URI}
	return client, oauth.Server{Name: item.Server}
}

func cleaning(r wire.Request) wire.Request {
	r.Purpose = wire.Cleanup
	return r
}
