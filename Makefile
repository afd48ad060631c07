# make lists what there is to make. It needs Go, git and make; everything else is
# fetched, or said to be missing.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SCENARIO ?= chat# what make bench measures
ARGS     ?=# more for it, such as ARGS='--blocks 12'
RACE     ?= -race# make test RACE= needs no C compiler, and finds no data race
PKG      ?= ./...# what make test and make micro look at
FUZZTIME ?= 20s# of each fuzz target
COUNT    ?= 1# runs of each benchmark; benchstat wants 10 or more
BENCH    ?= .# which benchmarks make micro runs
TIME     ?= 1s# how long each, or 20x for how often
ROWS     ?= .# which rows make perf measures: a regular expression
K6       ?= go.k6.io/k6@v1.8.1# with what make perf compares echoes
PAIRS    ?= 5# how often each side of a row is measured

# Tests that make network namespaces say AsRoot in their names, and want root.
ORDINARY = $(if $(filter 0,$(shell id -u)),,-skip AsRoot)

TOOL := go tool -modfile=tools/go.mod

COMMIT = $(shell git rev-parse HEAD 2>/dev/null)
DIRTY  = $(if $(COMMIT),$(if $(shell git status --porcelain),true,false))
STAMP  = -X main.commit=$(COMMIT) -X main.dirty=$(DIRTY)

.PHONY: help
help: ## list these targets
	@awk -F ': .*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: bench
bench: download build ## measure the chat scenario: table, sentences, report.html (SCENARIO=, ARGS=)
	@bin/pushbench run $(SCENARIO) $(ARGS)

.PHONY: charts
charts: build ## draw the newest run again, from its files
	@newest=$$(ls -td results/runs/*/ 2>/dev/null | head -n 1); \
	if [ -z "$$newest" ]; then echo "make: there is no run in results/runs yet: make bench" >&2; exit 2; fi; \
	bin/pushbench report "$$newest"

REFERENCES = $(wildcard results/reference/*/)

.PHONY: reproduce
reproduce: download build ## measure again what results/reference holds, and say which of its claims hold here
	@bin/pushbench check $(REFERENCES)

.PHONY: test
test: setup ## allocation tests and each benchmark once; then all tests under the race detector
	@echo "without the race detector: allocations, and each benchmark once"
	@go test -run 'Alloc' -bench . -benchtime 1x $(ORDINARY) -timeout 5m $(PKG) | grep -v 'no test files'
	@[ -z "$(ORDINARY)" ] || echo "make: not root, so the tests that count bytes on an interface of their own are left out"
	@$(TOOL) gotestsum --format pkgname --format-hide-empty-pkg -- $(RACE) $(ORDINARY) -timeout 25m $(PKG)

# The tests have a target of their own, so that this one answers in a minute.
.PHONY: check
check: download ## everything but the tests: format, vet, staticcheck, tidy, walls, schema, other systems
	@echo "gofumpt";     files=$$($(TOOL) gofumpt -l .); [ -z "$$files" ] || { echo "not formatted (go tool -modfile=tools/go.mod gofumpt -w .):"; echo "$$files"; exit 1; }
	@echo "go vet";      go vet ./...
	@echo "staticcheck"; $(TOOL) staticcheck ./...
	@echo "go mod tidy"; go mod tidy -diff; go -C tools mod tidy -diff
	@echo "import walls"; go test -run 'House|Rooms' ./cmd/pushbench
	@echo "schemas";     go run ./cmd/pushbench schema | diff -u scenarios/scenario.schema.json -
	@for of in manifest trial interval; do go run ./cmd/pushbench schema $$of | diff -u results/$$of.schema.json - || exit 1; done
	@for system in linux/arm64 darwin/arm64 darwin/amd64; do \
		echo "go vet for $$system"; GOOS=$${system%/*} GOARCH=$${system#*/} go vet ./...; done

# Built, because go run hides the exit code and does not pass SIGTERM on.
.PHONY: perf
perf: peers build ## what a delivery, a poll, an idle client costs beside wrk, k6, nchan and bare floors (ROWS=, PAIRS=)
	@go build -o bin/perf ./cmd/perf
	@bin/perf -only '$(ROWS)' -pairs $(PAIRS) $(if $(filter .,$(ROWS)),-out results/reference/perf.md)

# Without them their rows give the reason, so none of them stops make perf.
.PHONY: peers
peers: download
	@missing=; \
	command -v wrk >/dev/null || missing+=" wrk"; \
	[ -x bin/k6 ] || GOBIN=$(CURDIR)/bin go install $(K6) || echo "make: not compared with k6, which cannot be installed" >&2; \
	[ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] || missing+=" nginx-light libnginx-mod-nchan"; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } || \
			echo "make: not compared with$$missing, which cannot be installed" >&2; \
	else \
		echo "make: not compared with$$missing, which only an administrator can install; on Debian: sudo apt-get install$$missing" >&2; \
	fi

.PHONY: micro
micro: download ## Go benchmarks of the hot paths, with allocations (PKG=, BENCH=, TIME=, COUNT=)
	@go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(TIME) -count $(COUNT) $(PKG) | grep -v 'no test files'

.PHONY: fuzz
fuzz: download ## run each fuzz target for 20 s (FUZZTIME=)
	@go test -list '^Fuzz' $(PKG) | awk '/^Fuzz/ { targets[++n] = $$1 } /^ok/ { for (i = 1; i <= n; i++) print $$2, targets[i]; n = 0 }' | \
	while read -r package target; do \
		echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$package"; done

.PHONY: nightly
nightly: setup build ## the slow proofs, and the broken builds that they must catch; takes a quiet machine
	@bin/pushbench selftest --long
	@go test -tags long -run 'SelfTestCatches' -timeout 30m ./cmd/pushbench

.PHONY: build
build: ## bin/pushbench, stamped with its commit
	@go build -ldflags '$(STAMP)' -o bin/pushbench ./cmd/pushbench

.PHONY: setup
setup: download ## fetch what the tests need: modules, curl, a C compiler, Chromium
	@missing=; \
	command -v curl >/dev/null || missing+=" curl"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || [ "$$(go env GOOS)" = darwin ] || missing+=" chromium"; \
	[ -z "$(RACE)" ] || [ "$$(go env GOOS)" = darwin ] || command -v "$$(go env CC)" >/dev/null || missing+=" gcc libc6-dev"; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing ca-certificates; \
	else \
		echo "make: the tests need$$missing, which only an administrator can install; on Debian: sudo apt-get install$$missing" >&2; \
		exit 1; \
	fi

.PHONY: download
download:
	@go mod download
	@go -C tools mod download

.PHONY: clean
clean: ## remove what was built; what was measured in results/runs stays
	@rm -rf bin
