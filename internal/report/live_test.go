package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// screen plays the few cursor movements that Live uses.
func screen(t *testing.T, out string) []string {
	t.Helper()
	lines := []string{""}
	for out != "" {
		if rest, found := strings.CutPrefix(out, "\x1b["); found {
			n, i := 0, 0
			for ; rest[i] >= '0' && rest[i] <= '9'; i++ {
				n = n*10 + int(rest[i]-'0')
			}
			switch rest[i] {
			case 'A':
				lines = lines[:len(lines)-n] // what is below is cleared next
			case 'J':
			default:
				t.Fatalf("unknown escape %q", rest[:i+1])
			}
			out = rest[i+1:]
			continue
		}
		switch out[0] {
		case '\n':
			lines = append(lines, "")
		case '\r':
			lines[len(lines)-1] = ""
		default:
			lines[len(lines)-1] += out[:1]
		}
		out = out[1:]
	}
	return lines
}

func TestLive(t *testing.T) {
	for name, ride := range rides {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			live := NewLive(&out, Options{Width: 100})
			frames := 0
			seen := false
			for _, e := range ride() {
				before := out.Len()
				if err := live.Write(e); err != nil {
					t.Fatal(err)
				}
				if out.Len() > before {
					frames++
				}
				if name == "rich" && e.At >= 41*time.Second && !seen { // once the roll is known, in the middle of the watch
					seen = true
					shown := strings.Join(screen(t, out.String()), "\n")
					golden(t, "live.txt", []byte(shown))
					for line := range strings.SplitSeq(shown, "\n") {
						if len([]rune(line)) >= 100 {
							t.Errorf("a line of the frame wraps: %q", line)
						}
					}
				}
			}
			if err := live.Close(); err != nil {
				t.Fatal(err)
			}
			if left := strings.Join(screen(t, out.String()), ""); left != "" {
				t.Errorf("the frame was not wiped: %q", left)
			}
			if name == "rich" && (frames < 100 || frames > 1300) {
				t.Errorf("%d frames for two minutes", frames)
			}
		})
	}
}

func TestPlain(t *testing.T) {
	for name, ride := range rides {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p := NewPlain(&out)
			for _, e := range ride() {
				if err := p.Write(e); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			golden(t, "plain-"+name+".txt", out.Bytes())
		})
	}
}

type deaf struct{}

func (deaf) Write([]byte) (int, error) { return 0, errors.New("nobody listens") }

func TestProgressSaysThatItCannotWrite(t *testing.T) {
	e := logbook.Entry{Note: &logbook.Note{}}
	if err := NewLive(deaf{}, Options{}).Write(e); err == nil {
		t.Error("live is silent")
	}
	if err := NewPlain(deaf{}).Write(e); err == nil {
		t.Error("plain is silent")
	}
}
