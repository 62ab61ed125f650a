package audit

import (
	"bytes"
	"strings"
)

// line is one line of a log.
type line struct {
	text   []byte // at most MaxLine bytes, without its end; valid only until the next
	offset int64  // where it begins
	size   int64  // of the whole line with its end
	cut    bool
}

// splitter makes lines of pieces of a stream. The end of a piece is not the end of a line: a writer may be half way.
type splitter struct {
	begun  []byte // of a line that has not ended
	offset int64  // where it begins
	size   int64  // bytes of it so far
}

// feed takes the next piece and emits the lines that it ends.
func (s *splitter) feed(piece []byte, emit func(line)) {
	for len(piece) > 0 {
		end := bytes.IndexByte(piece, '\n')
		if end < 0 {
			s.keep(piece)
			return
		}
		if s.size == 0 && end <= MaxLine {
			emit(line{text: piece[:end], offset: s.offset, size: int64(end) + 1})
			s.offset += int64(end) + 1
		} else {
			s.keep(piece[:end])
			s.size++
			s.flush(emit)
		}
		piece = piece[end+1:]
	}
}

func (s *splitter) keep(piece []byte) {
	s.size += int64(len(piece))
	room := MaxLine - len(s.begun)
	s.begun = append(s.begun, piece[:min(room, len(piece))]...)
}

// flush emits what has begun as a line: there will be no end of it.
func (s *splitter) flush(emit func(line)) {
	if s.size == 0 {
		return
	}
	emit(line{text: s.begun, offset: s.offset, size: s.size, cut: s.size > MaxLine+1})
	s.offset += s.size
	s.begun, s.size = s.begun[:0], 0
}

// reset begins a new stream at offset.
func (s *splitter) reset(offset int64) { *s = splitter{offset: offset, begun: s.begun[:0]} }

func printable(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
