package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	// KeyVariable is the environment variable with the sealing key: 32 bytes in base64.
	KeyVariable = "CHECKRIDE_LEDGER_KEY"
	// KeyFile is the file in the state directory that holds the key otherwise.
	KeyFile = "ledger.key"

	checkText = "checkride ledger"
	keySize   = 32
)

// WrongKey says that the ledger was sealed with another key.
type WrongKey struct{ Path string }

func (e *WrongKey) Error() string {
	return fmt.Sprintf("ledger %s is sealed with another key; set %s to the one that the ride had, or give the state directory with its %s", e.Path, KeyVariable, KeyFile)
}

// KeyFrom gives the sealing key: from [KeyVariable], else from [KeyFile] in the state directory, where it is made once.
func KeyFrom(env func(string) (string, bool), stateDir string) ([]byte, error) {
	if text, set := env(KeyVariable); set {
		key, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w; make one with: openssl rand -base64 32", KeyVariable, err)
		}
		return key, nil
	}
	path := filepath.Join(stateDir, KeyFile)
	key, err := keyIn(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	err = makeKey(stateDir, path)
	if err != nil {
		return nil, fmt.Errorf("ledger key: %w; set %s, or give a state directory that can be written", err, KeyVariable)
	}
	return keyIn(path)
}

func keyIn(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("ledger key %s may be read by others (mode %04o); chmod 600 it", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ledger key: %w", err)
	}
	key, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("ledger key %s: %w; set %s, or restore the file", path, err, KeyVariable)
	}
	return key, nil
}

// makeKey makes the file whole and then gives it its name, so that no other process sees a part of it; the first wins.
func makeKey(dir, path string) error {
	err := os.MkdirAll(dir, 0o700)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, KeyFile+".*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	_, err = file.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err != nil {
		return err
	}
	err = file.Sync()
	if err != nil {
		return err
	}
	err = os.Link(file.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// parse reads base64 in either alphabet, padded or not. Its errors do not quote the text.
func parse(text string) ([]byte, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	key, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("it is not base64")
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("it has %d bytes and must have %d", len(key), keySize)
	}
	return key, nil
}

// vault seals with AES-256-GCM. A sealed text is bound to its place: moved to another line it does not open.
type vault struct{ aead cipher.AEAD }

func newVault(key []byte) (vault, error) {
	if len(key) != keySize {
		return vault{}, fmt.Errorf("ledger: a key of %d bytes; it must have %d (see %s)", len(key), keySize, KeyVariable)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return vault{}, fmt.Errorf("ledger: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return vault{}, fmt.Errorf("ledger: %w", err)
	}
	return vault{aead}, nil
}

func (v vault) seal(text, place string) string {
	return base64.StdEncoding.EncodeToString(v.aead.Seal(nil, nil, []byte(text), []byte(place)))
}

func (v vault) open(sealed, place string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", errors.New("sealed text is no base64")
	}
	text, err := v.aead.Open(nil, nil, b, []byte(place))
	if err != nil {
		return "", errors.New("sealed text does not open")
	}
	return string(text), nil
}
