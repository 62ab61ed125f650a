package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/secret"
)

func TestRootsRefuseWhatIsNoCertificate(t *testing.T) {
	dir := t.TempDir()
	err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("no PEM"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	resolver := Resolver{Dir: dir, Keeper: secret.NewKeeper()}
	roots := Roots{}
	err = roots.Add(resolver, "points.edge", Reference{Text: "file:ca.pem"}, "https://edge.example")
	if err == nil || !strings.HasPrefix(err.Error(), "points.edge.ca: no certificate in PEM; give") {
		t.Errorf("got %v", err)
	}
	err = roots.Add(resolver, "points.edge", Reference{Text: "file:none.pem"}, "https://edge.example")
	if err == nil || !strings.HasPrefix(err.Error(), "points.edge.ca: ") {
		t.Errorf("got %v", err)
	}
	err = roots.Add(resolver, "points.edge", Reference{}, "https://edge.example")
	if err != nil || len(roots) != 0 {
		t.Errorf("no CA: got %v, %v", roots, err)
	}
}
