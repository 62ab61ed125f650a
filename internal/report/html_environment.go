package report

import (
	"strings"

	"github.com/checkride/checkride/internal/verdict"
)

func environmentTitle(v *verdict.Verdict) string {
	left, alive := leftBehind(v)
	switch {
	case len(left) > 0:
		return verdict.Count(len(left), "thing") + " left behind"
	case len(alive) > 0:
		return capital(strings.Join(alive, "; "))
	case v.Waits():
		return "The ride is parked and has sent nothing"
	case v.End == nil:
		return "The ride did not reach its cleanup"
	}
	return "The ride left nothing behind"
}
