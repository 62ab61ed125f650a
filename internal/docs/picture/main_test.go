package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestDraw(t *testing.T) {
	svg := string(draw("\x1b[31mNOT READY\x1b[0m: <3 & more\n\n  plain\n"))
	for _, want := range []string{`class="r">NOT READY</text>`, `>: &lt;3 &amp; more</text>`, `>plain</text>`} {
		if !strings.Contains(svg, want) {
			t.Errorf("%s is not in\n%s", want, svg)
		}
	}
	if strings.Contains(svg, "\x1b") {
		t.Error("an escape sequence is left")
	}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
