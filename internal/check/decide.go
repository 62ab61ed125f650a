package check

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// decide understands an answer at an enforcement point (rules 4, 5 and 6).
func (p *Pass) decide(ctx context.Context, point *plan.Point, operation plan.Operation, x wire.Exchange) Answer {
	answer := p.decideAlone(operation, x)
	if answer.Decision == wire.Unknown || answer.Decision == wire.Accepted && answer.Strong || x.Failure != wire.None || p.Stack.Rules.AnyRefuser {
		return answer
	}
	known, err := p.Stack.refusers(ctx, p, point, operation)
	var public *stop
	switch {
	case errors.As(err, &public) && public.cause != "":
		return answer // who asks for nothing is let in, so there is nobody's refusal to know
	case answer.Decision == wire.Accepted:
		if err == nil && known.shapes[shape(x)] {
			answer.Decision, answer.Why = wire.Denied, answer.Why+", and the body that a garbage credential gets"
		}
		return answer
	case err != nil:
		answer.Decision = wire.Unknown
		answer.Why += ", and how the point itself refuses is not known: " + err.Error()
		return answer
	}
	if !known.knows(x) {
		answer.Foreign, answer.Decision = true, wire.Unknown
		answer.Why += ", which looks like another hop's refusal"
	}
	return answer
}

func (p *Pass) decideAlone(operation plan.Operation, x wire.Exchange) Answer {
	if answer, failed := decideFailure(x); failed {
		return answer
	}
	answer := Answer{Why: strconv.Itoa(x.Status), Identity: textAt(x, operation.IdentityAt)}
	if code := errorCode(x); code != "" {
		answer.Why += " " + code
	}
	switch {
	case x.Status == http.StatusTooManyRequests || x.Status == http.StatusServiceUnavailable || x.Status == http.StatusRequestTimeout:
		return answer
	case fits(operation.ReachedWhen, x, false) || fits(operation.AcceptedWhen, x, operation.ReachedWhen.Empty()):
		answer.Decision = wire.Accepted
		return p.weigh(answer, operation, x)
	case looksLikeLogin(x):
		answer.Decision, answer.Why = wire.Denied, answer.Why+", a login page"
	case x.Status == 401 || x.Status == 403 || x.Status == 404 || x.Status == 405 || x.Status == 421:
		answer.Decision = wire.Denied
	case x.Status >= 300 && x.Status < 400:
		answer.Decision, answer.Why = wire.Denied, answer.Why+", a redirect"
	case x.Status >= 400:
		answer.Decision = wire.Odd
	case x.Status >= 200 && x.Status < 300 && p.Stack.Rules.StatusIsProof:
		answer.Decision = wire.Accepted
	}
	return answer
}

// weigh tells strong proof of acceptance from weak, and a cache's answer from the point's (rule 4).
func (p *Pass) weigh(answer Answer, operation plan.Operation, x wire.Exchange) Answer {
	if p.Stack.Rules.StatusIsProof {
		answer.Strong = true
		return answer
	}
	age := x.Header.Get("Age")
	if operation.NonceAt != "" {
		nonce := textAt(x, operation.NonceAt)
		switch {
		case strings.Contains(nonce, x.Trace) && x.Trace != "":
			answer.Strong = true
			return answer
		case nonce != "" || age != "":
			answer.Cached, answer.Decision = true, wire.Unknown
			answer.Why += " with another exchange's nonce: a cache answered"
		default: // where the plan says that the nonce stands, an answer without it is not the operation's
			answer.Decision = wire.Unknown
			answer.Why += " without this exchange's nonce at " + operation.NonceAt
		}
		return answer
	}
	if age != "" && age != "0" {
		answer.Cached, answer.Decision = true, wire.Unknown
		answer.Why += " with Age " + age + ": a cache answered"
	}
	return answer
}

func decideFailure(x wire.Exchange) (Answer, bool) {
	switch x.Failure {
	case wire.None:
		return Answer{}, false
	case wire.Alert:
		return Answer{Decision: wire.Denied, Why: "TLS alert: " + x.Detail}, true
	case wire.Reset:
		if x.Fresh {
			return Answer{Decision: wire.Denied, Thrice: true, Why: "reset on a fresh connection"}, true
		}
	}
	if x.Failure == wire.Proxied {
		return Answer{Why: x.Detail}, true
	}
	return Answer{Why: string(x.Failure) + " " + x.Detail}, true
}

// fits says whether an answer is as the oracle says. An empty oracle is any 2xx, where that is allowed.
func fits(oracle plan.Oracle, x wire.Exchange, emptyFits bool) bool {
	if oracle.Empty() {
		return emptyFits && x.Status >= 200 && x.Status < 300
	}
	if len(oracle.Status) > 0 && !slices.Contains(oracle.Status, x.Status) {
		return false
	}
	if len(oracle.Status) == 0 && (x.Status < 200 || x.Status > 299) {
		return false
	}
	if oracle.JSON != "" {
		_, ok := x.JSON(oracle.JSON)
		return ok
	}
	return true
}

// textAt reads json:/pointer or header:name of an answer.
func textAt(x wire.Exchange, place string) string {
	kind, name, _ := strings.Cut(place, ":")
	switch kind {
	case "json":
		value, ok := x.JSON(name)
		if !ok {
			return ""
		}
		if text, ok := value.(string); ok {
			return text
		}
		return fmt.Sprint(value)
	case "header":
		return x.Header.Get(name)
	}
	return ""
}

// errorCode is the error of a JSON body or of WWW-Authenticate, where it is a plain word.
func errorCode(x wire.Exchange) string {
	if value, ok := x.JSON("/error"); ok {
		if text, ok := value.(string); ok && plainWord(text) {
			return text
		}
	}
	_, rest, ok := strings.Cut(x.Header.Get("WWW-Authenticate"), `error="`)
	if word, _, closed := strings.Cut(rest, `"`); ok && closed && plainWord(word) {
		return word
	}
	return ""
}

func plainWord(text string) bool {
	return text != "" && len(text) < 40 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// looksLikeLogin recognises the login page with 200 of older middleware.
func looksLikeLogin(x wire.Exchange) bool {
	kind, _, _ := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if x.Status != 200 || kind != "text/html" {
		return false
	}
	body := strings.ToLower(string(x.Body[:min(len(x.Body), 64<<10)]))
	return strings.Contains(body, `type="password"`) || strings.Contains(body, "type=password")
}
