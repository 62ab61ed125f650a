//go:build linux

package real

import (
	"embed"
	"fmt"
	"os"
	"path"
	"text/template"
)

//go:embed configs plans
var texts embed.FS

// fill writes one of the embedded texts, filled in with the settings.
func (s settings) fill(name, file string) error {
	text, err := template.New("").Option("missingkey=error").ParseFS(texts, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("lay %s: %w", name, err)
	}
	err = text.ExecuteTemplate(out, path.Base(name), s)
	if err != nil {
		_ = out.Close()
		return fmt.Errorf("fill %s: %w", name, err)
	}
	err = out.Close()
	if err != nil {
		return fmt.Errorf("lay %s: %w", name, err)
	}
	return nil
}
