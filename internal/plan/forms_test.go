package plan

import "testing"

func TestListenForm(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"127.0.0.1:0": true, "0.0.0.0:8443": true, ":8443": true, "[::1]:8443": true, "tester.example:443": true,
		"": false, "127.0.0.1": false, "127.0.0.1:": false, "127.0.0.1:70000": false, "a b:80": false, "https://tester.example:1": false,
	} {
		complaint, _ := listenForm(text)
		if (complaint == "") != good {
			t.Errorf("%q: complaint %q, want good %v", text, complaint, good)
		}
	}
}
