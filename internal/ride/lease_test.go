package ride

import (
	"strings"
	"testing"
)

// Two rides at one time on one stack are refused, in whatever order their plans name its hosts; other stacks are free,
// and so is this one once the first ride has ended.
func TestOneRidePerStack(t *testing.T) {
	dir := t.TempDir()
	first, err := take(dir, []string{"as.example:443", "edge.example:443"}, "ride-1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = take(dir, []string{"edge.example:443", "as.example:443"}, "ride-2")
	if err == nil || !strings.Contains(err.Error(), "ride-1") {
		t.Errorf("the second ride on the stack: %v; want a refusal that names ride-1", err)
	}
	other, err := take(dir, []string{"other.example:443"}, "ride-3")
	if err != nil {
		t.Errorf("another stack: %v", err)
	}
	other.end()
	first.end()
	again, err := take(dir, []string{"as.example:443", "edge.example:443"}, "ride-4")
	if err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
	again.end()
}
