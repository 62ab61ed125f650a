package compare

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

var (
	// ErrParked says that the ride has not begun: people have yet to make its clients.
	ErrParked = errors.New("the ride is parked")
	// ErrEmpty says that the book does not even say which ride it is of.
	ErrEmpty = errors.New("the logbook has no head")
)

// Ride is what is compared of a book.
type Ride struct {
	verdict.Verdict
	served     map[spot]*served
	calibrated map[string]string // authorization server -> what the ride learnt of it
}

// spot is a document of a point or an authorization server.
type spot struct{ point, kind string }

// served is what a place answered when it was asked for a document.
type served struct {
	texts   []text
	refused int // an HTTP status that says that there is none; 0: nobody was told so
}

type text struct {
	digest  string
	members map[string]any // nil: it could not be read
	wrong   string         // why
}

// A book of a stranger may hold as many documents as it likes. What goes beyond is not kept, and then not the same.
const (
	mostSpots = 1000 // documents of all places
	mostTexts = 4    // different answers of one place
)

// Read takes from a book what is compared. A book that is cut short is read as far as it goes; any other fault of the
// source, a parked ride ([ErrParked]) and a book without a head ([ErrEmpty]) are errors.
func Read(src logbook.Source) (*Ride, error) {
	r := &Ride{served: map[spot]*served{}, calibrated: map[string]string{}}
	var err error
	r.Verdict, err = verdict.Of(r.watched(src))
	switch {
	case err != nil:
		return nil, err
	case r.Waits():
		return nil, fmt.Errorf("%w: %s", ErrParked, r.Cut)
	case r.Head.Started.IsZero() && len(r.Head.Points) == 0:
		return nil, ErrEmpty
	}
	for _, note := range r.Notes {
		if note.About == "calibration" {
			r.calibrated[note.Point] = note.Text
		}
	}
	return r, nil
}

// watched passes a book on and keeps the documents that go by, so that it is read once.
func (r *Ride) watched(src logbook.Source) logbook.Source {
	return func() iter.Seq2[logbook.Entry, error] {
		return func(yield func(logbook.Entry, error) bool) {
			for e, err := range src() {
				if err == nil && e.Exchange != nil {
					r.keep(e.Exchange)
				}
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// keep takes an exchange that fetched metadata. Altered requests say nothing about what everybody gets.
func (r *Ride) keep(x *logbook.Exchange) {
	if x.Method != "GET" || x.Purpose == "altered" {
		return
	}
	kind := documentKind(x)
	if kind == "" {
		return
	}
	at := spot{x.Point, kind}
	s := r.served[at]
	if s == nil {
		if len(r.served) == mostSpots {
			return
		}
		s = &served{}
		r.served[at] = s
	}
	if x.Status >= 400 && x.Status < 500 && x.Status != 429 {
		s.refused = x.Status
	}
	if x.Status != 200 || len(s.texts) == mostTexts {
		return
	}
	digest := cmp.Or(x.Response.SHA256, digestOf(x.Response.Body))
	for _, known := range s.texts {
		if known.digest == digest {
			return
		}
	}
	one := text{digest: digest}
	one.members, one.wrong = parse(&x.Response)
	s.texts = append(s.texts, one)
}

// documentKind tells metadata by its well-known place (RFC 8414 §3.1, RFC 9728 §3.1, OpenID Connect Discovery §4), or by
// its members, where the plan names another place.
func documentKind(x *logbook.Exchange) string {
	address, err := url.Parse(x.URL)
	if err != nil {
		return ""
	}
	_, after, wellKnown := strings.Cut(address.Path, "/.well-known/")
	name, _, _ := strings.Cut(after, "/")
	switch {
	case wellKnown && (name == "oauth-authorization-server" || name == "openid-configuration" || name == "oauth-protected-resource"):
		return name
	case x.Status == 200 && strings.Contains(x.Response.Body, `"issuer"`):
		members, _ := parse(&x.Response)
		if isText(members["issuer"]) && (isText(members["token_endpoint"]) || isText(members["jwks_uri"])) {
			return "metadata"
		}
	}
	return ""
}

func isText(value any) bool {
	_, is := value.(string)
	return is
}

// parse reads a document as the book holds it, which keeps 64 KiB of a body. One that does not fit its own digest was
// changed after the ride, or is no text.
func parse(m *logbook.Message) (map[string]any, string) {
	switch {
	case m.Size > int64(len(m.Body)):
		return nil, "the logbook does not hold all of it"
	case m.SHA256 != "" && m.SHA256 != digestOf(m.Body):
		return nil, "it does not fit the digest that the logbook gives for it"
	}
	in := json.NewDecoder(bytes.NewReader([]byte(m.Body)))
	in.UseNumber()
	var members map[string]any
	err := in.Decode(&members)
	if err != nil || members == nil {
		return nil, "it is no JSON object"
	}
	_, err = in.Token()
	if !errors.Is(err, io.EOF) {
		return nil, "it is no JSON object"
	}
	return members, ""
}

func digestOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}
