package forge

import (
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// remade makes a change of a JWT that the request carries and we sign. What find gives is altered in place; judged says
// whether it is then bad as it should be, and was good before: else it would prove nothing.
func remade(name string, find func(*wire.Request) (*wire.JWT, error), alter func(*wire.JWT) error, judged func(before, after wire.JWT) error) wire.Change {
	return wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
		j, err := find(&r)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		before := *j.Clone()
		err = alter(j)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		err = judged(before, *j)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		return r, nil
	}}
}

// carried finds the JWT of a credential that we sign.
func carried(member, missing string) func(*wire.Request) (*wire.JWT, error) {
	return func(r *wire.Request) (*wire.JWT, error) {
		c := r.Credential(member)
		if c == nil || c.JWT == nil || c.JWT.Key == nil {
			return nil, fmt.Errorf("the request carries no %s", missing)
		}
		return c.JWT, nil
	}
}

// badFor makes sure that the original is good and the forgery bad for the reason, by a judge that believes the original's
// own public key. A sample of each is made, as it will be at sending. What it is and what mends it are said if the
// original is bad.
func badFor(reason, what, mend string, before, after wire.JWT, want Expectation, judge func(compact string, set map[string]any, want Expectation) string) error {
	kid, _ := before.Header["kid"].(string)
	alg, _ := before.Header["alg"].(string)
	set := map[string]any{"keys": []any{oauth.PublicJWK(before.Key.Public(), kid, alg)}}
	want.Now = time.Now().Add(before.Clock)
	want.Issuer, _ = before.Claims["iss"].(string)
	good, err := sample(before, want.Now)
	if err != nil {
		return err
	}
	if why := judge(good, set, want); why != Good {
		return fmt.Errorf("the %s itself is bad (%s), so a forgery of it proves nothing; %s", what, why, mend)
	}
	forged, err := sample(after, want.Now)
	if err != nil {
		return err
	}
	if why := judge(forged, set, want); why != reason {
		return fmt.Errorf("the forgery's fault is its %q and not its %q; where no other value can be given, this is a fault of this program", why, reason)
	}
	return nil
}

// flip has the JWT signed as it would be, with one bit of the signature flipped.
func flip(j *wire.JWT) error {
	alg, _ := j.Header["alg"].(string)
	signed := j.Sign
	if key := j.Key; signed == nil {
		signed = func(input []byte) ([]byte, error) { return sign(alg, key, input) }
	}
	j.Signer = "by the same key, one bit flipped"
	j.Sign = func(input []byte) ([]byte, error) {
		signature, err := signed(input)
		return flipped(signature), err
	}
	return nil
}

// expire has the JWT expired five minutes ago, after a life as long as the original's.
func expire(j *wire.JWT) error {
	j.Claims["exp"], j.Claims["iat"] = wire.FromNow(-5*time.Minute), wire.FromNow(-5*time.Minute-life(j))
	return nil
}

func life(j *wire.JWT) time.Duration {
	if j.Life > 0 {
		return j.Life
	}
	return time.Minute
}
