# make demo    a ride against the sandbox, with defects switched on; ends with a verdict and a report
# make test    all tests, with what they need; the first run installs nginx, HAProxy and Node where they are missing
# make lint    golangci-lint, built once into bin/
# make race    the tests with the race detector
# make matrix  every check against every defect of the sandbox, and every defect of its authorization server against all others
# make odd     every check against hostile servers, and against lawful ones that answer otherwise
# make generate  the list of checks and the pages in docs/ that are made from code
# make real    third-party systems to ride against, until Ctrl-C

LINT_VERSION := v2.15.0
LINT := bin/$(LINT_VERSION)/golangci-lint

.PHONY: demo test lint race matrix odd generate real

# The demo's stack has defects, so its verdict is "not ready", which is exit code 3: here that is what should happen.
demo:
	@go build -o bin/checkride ./cmd/checkride
	@bin/checkride demo; code=$$?; [ $$code -eq 0 ] || [ $$code -eq 3 ] || exit $$code

test:
	@test/real/install.sh
	go test $(TESTFLAGS) ./...

lint: $(LINT)
	$(LINT) run ./...

# A tool, not a dependency: it stays out of go.mod. Building it takes some minutes, once.
$(LINT):
	GOFLAGS= GOBIN=$(CURDIR)/bin/$(LINT_VERSION) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

race:
	go test -race $(TESTFLAGS) ./internal/...

matrix:
	CHECKRIDE_MATRIX=1 go test -count=1 -timeout 15m -run Matrix ./internal/prove
	CHECKRIDE_MATRIX=1 go test -count=1 -timeout 15m ./internal/sandbox/as

odd:
	CHECKRIDE_MATRIX=1 go test -count=1 -timeout 15m -run 'Hostile|Oddities' ./internal/prove

generate:
	go generate ./...

real:
	@test/real/install.sh
	@go run ./test/real/serve
