package secret

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
)

// Shortest is the length in bytes from which on a secret is looked for. A shorter one would mask half of every text,
// and is no secret worth the name.
const Shortest = 8

const bitmapBits = 20

// Keeper knows the secrets of a ride and masks them, raw and encoded. All methods may be called concurrently.
//
// The first eight bytes of each form are looked up in a bitmap, so that text without secrets costs one multiplication
// a byte. Of a form only its length and its 64-bit hash are held: a ride sends thousands of assertions, and a
// collision would only mask too much.
type Keeper struct {
	seed maphash.Seed

	mu      sync.RWMutex // held for computing only
	texts   map[string]Text
	counts  map[string]int   // kind -> last n
	bitmap  []uint64         // hash of the first eight bytes -> some form begins so
	lengths map[uint64][]int // the first eight bytes -> lengths of the forms that begin so, longest first
	forms   map[uint64]*kept // hash of a form -> whose it is
}

// NewKeeper gives an empty keeper.
func NewKeeper() *Keeper {
	return &Keeper{
		seed:    maphash.MakeSeed(),
		texts:   map[string]Text{},
		counts:  map[string]int{},
		bitmap:  make([]uint64, 1<<(bitmapBits-6)),
		lengths: map[uint64][]int{},
		forms:   map[uint64]*kept{},
	}
}

// Keep registers a secret of a kind (token, secret, key, assertion) and gives it as a Text; the same value gives the
// same Text, whatever kind is named the second time. The empty value gives the empty Text. A value shorter than
// [Shortest] gives a Text but is not looked for.
func (k *Keeper) Keep(kind, value string) Text {
	if value == "" {
		return Text{}
	}
	k.mu.RLock()
	text, known := k.texts[value]
	k.mu.RUnlock()
	if known {
		return text
	}
	forms := k.hashed(value) // before the lock: encoding is the dear part
	k.mu.Lock()
	defer k.mu.Unlock()
	if text, known := k.texts[value]; known {
		return text
	}
	k.counts[kind]++
	text = Text{&kept{kind: kind, n: k.counts[kind], value: value}}
	k.texts[value] = text
	for _, form := range forms {
		k.index(form, text.kept)
	}
	return text
}

// Known is the number of secrets kept.
func (k *Keeper) Known() int {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return len(k.texts)
}

// hashed is what is held of a form.
type hashed struct {
	hash   uint64
	first  uint64 // its first eight bytes
	length int
}

// hashed gives what is held of the forms of a secret that are long enough to be looked for.
func (k *Keeper) hashed(value string) []hashed {
	forms := make([]hashed, 0, 24)
	formsOf(value, func(form []byte) {
		if len(form) >= Shortest {
			forms = append(forms, hashed{hash: maphash.Bytes(k.seed, form), first: binary.LittleEndian.Uint64(form), length: len(form)})
		}
	})
	return forms
}

func (k *Keeper) index(form hashed, owner *kept) {
	if _, known := k.forms[form.hash]; known {
		return
	}
	k.forms[form.hash] = owner
	bit := slot(form.first)
	k.bitmap[bit>>6] |= 1 << (bit & 63)
	lengths := k.lengths[form.first]
	at, known := slices.BinarySearchFunc(lengths, form.length, func(have, want int) int { return want - have })
	if !known {
		k.lengths[form.first] = slices.Insert(lengths, at, form.length)
	}
}

// Mask replaces every known secret in s, in every form, by [kind n]. Secrets that overlap are masked as one.
func (k *Keeper) Mask(s string) string {
	if len(s) < Shortest {
		return s
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	var out strings.Builder
	var owner *kept // of the secret that ends at end
	done, end := 0, 0
	for i := 0; i+Shortest <= len(s); i++ {
		first := load(s, i)
		bit := slot(first)
		if k.bitmap[bit>>6]&(1<<(bit&63)) == 0 {
			continue
		}
		length, found := k.longest(s[i:], first)
		if length == 0 {
			continue
		}
		if owner == nil || i >= end {
			if owner != nil {
				out.WriteString(Text{owner}.String())
			}
			out.WriteString(s[max(done, end):i])
			owner, done = found, i
		}
		end = max(end, i+length)
	}
	if owner == nil {
		return s
	}
	out.WriteString(Text{owner}.String())
	out.WriteString(s[end:])
	return out.String()
}

// MaskBytes is [Keeper.Mask] for bytes. It never writes to b, and gives b itself when there is nothing to mask.
func (k *Keeper) MaskBytes(b []byte) []byte {
	s := string(b)
	masked := k.Mask(s)
	if masked == s {
		return b
	}
	return []byte(masked)
}

// longest gives the length of the longest form that s begins with, or 0.
func (k *Keeper) longest(s string, first uint64) (int, *kept) {
	for _, length := range k.lengths[first] {
		if length > len(s) {
			continue
		}
		if owner, known := k.forms[maphash.String(k.seed, s[:length])]; known {
			return length, owner
		}
	}
	return 0, nil
}

func load(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func slot(first uint64) uint64 { return first * 0x9E3779B97F4A7C15 >> (64 - bitmapBits) }
