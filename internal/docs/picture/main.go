// Picture draws what a terminal shows of a ride as SVG: go run ./internal/docs/picture LOGBOOK > docs/terminal.svg. It
// is not run by go generate, since every ride differs.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/report"
)

func main() {
	err := picture(os.Stdout, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(2)
	}
}

const columns = 100

func picture(w io.Writer, args []string) error {
	if len(args) != 1 {
		return errors.New("give the logbook of a ride: go run ./internal/docs/picture checkride-20261006-081428/logbook.jsonl")
	}
	var text bytes.Buffer
	folder := filepath.Base(filepath.Dir(args[0]))
	err := report.Terminal(&text, logbook.File(args[0]), report.Options{
		Width: columns, Color: true, Report: folder + "/report.html", Logbook: folder + "/logbook.jsonl",
	})
	if err != nil {
		return err
	}
	_, err = w.Write(draw("\x1b[2m$\x1b[0m checkride demo\n\n" + text.String()))
	return err
}

// Sizes in pixels. The width of a character is set on every line, so that any monospace font fits.
const (
	size   = 13
	height = 18
	width  = 7.8
	margin = 20
)

// classes are the colours of the terminal's styles.
var classes = map[string]string{"\x1b[31m": "r", "\x1b[33m": "y", "\x1b[32m": "g", "\x1b[1m": "b", "\x1b[2m": "f"}

const style = `text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d6deeb;white-space:pre}` +
	`.r{fill:#ff6b6b;font-weight:600}.y{fill:#f0c060}.g{fill:#7fd88f;font-weight:600}.b{font-weight:600;fill:#fff}.f{fill:#8a97a8}`

// draw turns text with colours into SVG.
func draw(text string) []byte {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	w, h := 2*margin+int(columns*width), 2*margin+len(lines)*height
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="what checkride demo shows in a terminal">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, "<style>%s</style>\n<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#101822\"/>\n", style)
	for i, line := range lines {
		y := margin + i*height + size
		x := 0
		for _, part := range spans(line) {
			n := utf8.RuneCountInString(part.text)
			shown := strings.TrimSpace(part.text)
			if shown != "" {
				lead := utf8.RuneCountInString(part.text) - utf8.RuneCountInString(strings.TrimLeft(part.text, " "))
				class := ""
				if part.class != "" {
					class = fmt.Sprintf(` class="%s"`, part.class)
				}
				fmt.Fprintf(&b, `<text x="%.1f" y="%d" textLength="%.1f"%s>%s</text>`+"\n",
					margin+float64(x+lead)*width, y, float64(utf8.RuneCountInString(shown))*width, class, html.EscapeString(shown))
			}
			x += n
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

type span struct{ class, text string }

// spans cuts a line where its style changes.
func spans(line string) []span {
	var all []span
	class := ""
	for line != "" {
		before, rest, escaped := strings.Cut(line, "\x1b[")
		if before != "" {
			all = append(all, span{class, before})
		}
		if !escaped {
			break
		}
		code, after, _ := strings.Cut(rest, "m")
		class = classes["\x1b["+code+"m"]
		line = after
	}
	return all
}
