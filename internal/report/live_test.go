package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// screen shows what a terminal of any height shows after all this.
func screen(t *testing.T, out string) []string {
	t.Helper()
	lines, row, column := [][]rune{nil}, 0, 0
	rest := []rune(out)
	for len(rest) > 0 {
		r := rest[0]
		rest = rest[1:]
		switch {
		case r == '\x1b':
			n, i := 0, 1
			for ; rest[i] >= '0' && rest[i] <= '9'; i++ {
				n = n*10 + int(rest[i]-'0')
			}
			switch rest[i] {
			case 'A':
				row -= n
			case 'K':
				lines[row] = lines[row][:min(column, len(lines[row]))]
			case 'J':
				lines[row] = lines[row][:min(column, len(lines[row]))]
				lines = lines[:row+1]
			default:
				t.Fatalf("unknown escape %q", string(rest[:i+1]))
			}
			rest = rest[i+1:]
		case r == '\n':
			row, column = row+1, 0
			if row == len(lines) {
				lines = append(lines, nil)
			}
		case r == '\r':
			column = 0
		default:
			lines[row] = append(lines[row][:column], append([]rune{r}, lines[row][min(column+1, len(lines[row])):]...)...)
			column++
		}
	}
	shown := make([]string, len(lines))
	for i, line := range lines {
		shown[i] = string(line)
	}
	return shown
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
