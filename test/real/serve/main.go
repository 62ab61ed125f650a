//go:build linux

// Command serve runs the third-party systems of test/real until it is interrupted, so that a ride against them can be
// tried by hand:
//
//	go run ./test/real/serve                  # oidc-provider with registration
//	go run ./test/real/serve -proofs          # with nonces in DPoP proofs, and oauth4webapi as a resource server
//	go run ./test/real/serve -given           # no registration: two given clients
//	checkride run PLAN                        # one of the plans that it names
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/checkride/checkride/test/real"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := serve(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	given := flag.Bool("given", false, "switch registration off: two clients exist")
	proofs := flag.Bool("proofs", false, "ask for nonces in DPoP proofs, and start a resource server that takes them")
	follows := flag.Bool("follows", false, "let HAProxy follow the server's keys, and start a resource server that fetches them")
	fetches := flag.Bool("fetches", false, "let the server fetch what clients name from addresses within")
	profile := flag.String("profile", "baseline", "the plans' profile, or several in brackets: [elevated, hygiene]")
	life := flag.Duration("token-life", 5*time.Minute, "how long tokens live")
	flag.Parse()
	missing := real.Missing()
	if len(missing) > 0 {
		return fmt.Errorf("not installed: %s; run test/real/install.sh", strings.Join(missing, ", "))
	}
	dir, err := os.MkdirTemp("", "checkride-real-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	// The systems must outlive the interrupt by as much as Close needs.
	stack, err := real.Start(context.WithoutCancel(ctx), real.Options{Dir: dir, TokenLife: *life, Given: *given, Proofs: *proofs, Follows: *follows, Fetches: *fetches, Profile: *profile})
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	plans := []string{"oidc-nginx.yaml", "oidc-haproxy.yaml"}
	switch {
	case *given:
		plans = []string{"oidc-given.yaml"}
	case *proofs:
		plans = append(plans, "oidc-dpop.yaml")
	}
	fmt.Printf("server   %s\nnginx    %s/api/ and /nocache/\nhaproxy  %s\n", stack.Issuer, stack.Nginx, stack.HAProxy)
	for _, name := range plans {
		file, err := stack.Plan(name)
		if err != nil {
			return errors.Join(err, stack.Close(), os.RemoveAll(dir))
		}
		fmt.Println("plan    ", file)
	}
	fmt.Println("\nCtrl-C stops them and removes the folder")
	<-ctx.Done()
	return errors.Join(stack.Close(), os.RemoveAll(dir))
}
