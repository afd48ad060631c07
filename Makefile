# make lists the targets. Requirements: Go, git and make. Everything else is downloaded or
# reported as missing.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SCENARIO ?= chat# the scenario of make bench
ARGS     ?=# more flags of make bench, such as ARGS='--repetitions 12'
RACE     ?= -race# make test RACE= runs without the race detector and needs no C compiler
PKG      ?= ./...# packages of make test and make micro
FUZZTIME ?= 20s# time per fuzz target
SOAK     ?= 1h# duration of make soak
QUARTER  ?=# make fuzz QUARTER=0 … 3 runs that quarter of the targets, QUARTER=commit a different one for each commit
COUNT    ?= 1# runs per benchmark; benchstat requires 10 or more
BENCH    ?= .# benchmarks of make micro: a regular expression
TIME     ?= 1s# time per benchmark, or a number of iterations such as 20x
ROWS     ?= .# rows of make perf: a regular expression
K6       ?= go.k6.io/k6@v1.8.1# the k6 that make perf compares echoes with
PAIRS    ?= 5# measurements of each side of a row

# Tests that create network namespaces have AsRoot in their names and need root.
ORDINARY = $(if $(filter 0,$(shell id -u)),,-skip AsRoot)

TOOL := go tool -modfile=tools/go.mod

# The go command records commit and tag in a build, whatever GOFLAGS is set to. Without a .git here, it
# would record the commit of a repository around this folder.
BUILD := go build -buildvcs=$(if $(wildcard .git),auto,false)

.PHONY: help
help: ## list these targets
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: bench
bench: download build ## measure the chat scenario: table, conclusions, report.html (SCENARIO=, ARGS=)
	@bin/pushbench run $(SCENARIO) $(ARGS)

.PHONY: charts
charts: build ## redraw the newest run from its files
	@newest=$$(ls -td results/runs/*/ 2>/dev/null | head -n 1) || true; \
	if [ -z "$$newest" ]; then echo "make: no run in results/runs: run make bench first" >&2; exit 2; fi; \
	bin/pushbench report "$$newest"

.PHONY: reproduce
reproduce: download build ## repeat the runs of results/reference and check their assertions on this machine
	@bin/pushbench check $(filter-out %/crossover/,$(wildcard results/reference/*/)) # a map has no assertions

.PHONY: docs
docs: download ## write generated text again: schemas, docs/scenarios.md, docs/cli.md, tables of other pages, the result in README.md
	@go generate ./...
	@go test ./cmd/pushbench -run 'Documented|ReadmeShows|Page' -update

# Tests that measure run last and alone, so that nothing disturbs them. The race detector makes
# tests 5 to 20 times slower. Packages that use no goroutine, lock or atomic run without it, and so
# do the browser tests. make check vets. Charts are drawn under the race detector by the tests of commands.
PACKAGES   = $(eval PACKAGES := $(shell go list $(PKG)))$(PACKAGES)
MEASURING  = $(filter %/endtoend,$(PACKAGES))
OTHERS     = $(filter-out $(MEASURING),$(PACKAGES))
with       = $(addprefix pushbench/,$(patsubst %/,%,$(sort $(dir $(shell grep -rlE '$(1)' --include=$(2) bench cmd results scenarios servers)))))
CONCURRENT = $(eval CONCURRENT := $(filter-out %/browser %/chart,$(filter $(call with,$(STARTS),*.go),$(OTHERS))))$(CONCURRENT)
SEQUENTIAL = $(filter-out $(CONCURRENT),$(OTHERS))
COUNTING   = $(eval COUNTING := $(filter $(call with,$(COUNTS),*_test.go),$(OTHERS)))$(COUNTING)
STARTS    := \<go (func|[a-z.]+\()|\.Go\(|Parallel\(|sync\.(Mutex|RWMutex|WaitGroup|Cond)|atomic\.
COUNTS    := ^func (Benchmark|Test.*(Alloc|Exhaustively|AReference|TheReference|AllText))
GOTESTSUM = $(TOOL) gotestsum --format pkgname --format-hide-empty-pkg

.PHONY: test
test: ## run all tests except those of make nightly; print the time per package and the 10 slowest tests
	@rm -f bin/tests-*.json; failed=; \
	$(MAKE) --no-print-directory test-race || failed=1; \
	$(MAKE) --no-print-directory test-measuring || failed=1; \
	go -C tools run ./testtimes $(CURDIR)/bin/tests-*.json; \
	[ -z "$$failed" ]

.PHONY: test-race
test-race: setup ## run allocation tests, each benchmark once, and all tests that do not measure, under the race detector if it applies
	@mkdir -p bin
	@[ -z "$(ORDINARY)" ] || echo "make: not root: tests that create network namespaces are skipped"
	@$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync=target test-concurrent test-counting test-sequential # the longest first
	@[ "$(PKG)" != ./... ] || go -C tools/perf test $(RACE) -timeout 4m ./...

.PHONY: test-counting test-sequential test-concurrent
test-counting:
	@[ -z "$(COUNTING)" ] || { echo "without the race detector: allocation tests, exhaustive tests, references, text and each benchmark once"; \
		go test -run "Alloc|Exhaustively|AReference|TheReference|AllText" -bench . -benchtime 1x $(ORDINARY) -vet=off -timeout 4m $(COUNTING); }

test-sequential:
	@[ -z "$(SEQUENTIAL)" ] || { echo "without the race detector: packages without goroutines"; \
		$(GOTESTSUM) --jsonfile bin/tests-1.json -- $(ORDINARY) -vet=off -timeout 4m $(SEQUENTIAL); }

test-concurrent:
	@[ -z "$(CONCURRENT)" ] || { echo "under the race detector"; \
		$(GOTESTSUM) --jsonfile bin/tests-2.json -- $(RACE) $(ORDINARY) -vet=off -p 4 -parallel 8 -timeout 8m $(CONCURRENT); }

# Servers of other projects that make test verifies. Compiling all takes minutes.
TESTED = goservice mosquitto nchan socketio

.PHONY: test-measuring
test-measuring: setup build ## run the tests that measure, alone and without the race detector
	@mkdir -p bin
	@[ -z "$(MEASURING)" ] || bin/pushbench target install $(TESTED) || true # the tests fail with what is missing
	@[ -z "$(MEASURING)" ] || { echo "alone, without the race detector: tests that measure"; \
		$(GOTESTSUM) --jsonfile bin/tests-3.json -- $(ORDINARY) -vet=off -timeout 15m $(MEASURING); }

# Tests are a separate target, so that this one takes only a minute.
.PHONY: check
check: download ## run all checks except tests: format, vet, staticcheck, tidy, imports, generated files, other systems
	@echo "gofumpt";     files=$$($(TOOL) gofumpt -l .); [ -z "$$files" ] || { echo "not formatted (go tool -modfile=tools/go.mod gofumpt -w .):"; echo "$$files"; exit 1; }
	@echo "go vet";      go vet ./...; go vet -tags nightly ./cmd/... ./servers; go vet -tags portable ./servers/...; go -C tools vet ./...; go -C tools/perf vet ./...
	@echo "staticcheck"; $(TOOL) staticcheck -tags nightly ./...; go -C tools/perf tool -modfile=../go.mod staticcheck ./...
	@echo "go mod tidy"; go mod tidy -diff; go -C tools mod tidy -diff; go -C tools/perf mod tidy -diff
	@echo "imports";     go test -timeout 5m -run 'Layout|Folders' ./cmd/pushbench
	@echo "tools";       go -C tools test -timeout 5m ./...
	@echo "go generate"; before=$$(git diff -- '*.schema.json' docs); go generate ./...; [ "$$before" = "$$(git diff -- '*.schema.json' docs)" ] || { echo "generated files were out of date: commit the output of make docs"; exit 1; }
	@echo "types for linux/arm64 and darwin/arm64"; go -C tools build -o $(CURDIR)/bin/typecheck ./typecheck; bin/typecheck linux/arm64 darwin/arm64

# A built binary, because go run hides the exit code and does not forward SIGTERM.
.PHONY: perf
perf: peers ## compare the cost of a delivery, a poll and an idle client with wrk, k6, nchan and bare floors (ROWS=, PAIRS=)
	@go -C tools/perf build -o $(CURDIR)/bin/perf .
	@bin/perf -only '$(ROWS)' -pairs $(PAIRS) $(if $(filter .,$(ROWS)),-out results/reference)

# If a peer is missing, its rows print the reason, so that make perf continues.
.PHONY: peers
peers: download build
	@missing=; \
	command -v wrk >/dev/null || missing+=" wrk"; \
	[ -x bin/k6 ] || GOBIN=$(CURDIR)/bin go install $(K6) || echo "make: k6 cannot be installed: its comparison is skipped" >&2; \
	tools/apt.sh $$missing || echo "make: cannot install$$missing: their comparisons are skipped" >&2
	@bin/pushbench target install nchan || echo "make: cannot install nchan: its comparisons are skipped" >&2

.PHONY: micro
micro: download ## run Go benchmarks of the hot paths, with allocations (PKG=, BENCH=, TIME=, COUNT=)
	@go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(TIME) -count $(COUNT) $(PKG) | grep -v 'no test files'

.PHONY: fuzz
fuzz: download ## run each fuzz target for 20 s, one per core in parallel (FUZZTIME=, PKG=, QUARTER=)
	@{ go test -list '^Fuzz' $(PKG); [ "$(PKG)" != ./... ] || { go -C tools test -list '^Fuzz' ./...; go -C tools/perf test -list '^Fuzz' .; }; } | \
	awk '/^Fuzz/ { targets[++n] = $$1 } /^ok/ { for (i = 1; i <= n; i++) print $$2, targets[i]; n = 0 }' | \
	awk -v quarter="$(if $(filter commit,$(QUARTER)),$$(($$(git rev-list --count HEAD) % 4)),$(QUARTER))" 'quarter == "" || NR % 4 == quarter' | \
	xargs -P "$$(getconf _NPROCESSORS_ONLN)" -L 1 tools/fuzz.sh $(FUZZTIME)

.PHONY: advisories
advisories: download ## list the advisories of the public Go database for the pinned modules: 1 for some, 2 if it cannot be reached
	@go -C tools build -o $(CURDIR)/bin/advisories ./advisories
	@bin/advisories . tools tools/perf

.PHONY: soak
soak: download ## keep all servers busy for 1 hour with churn, slow readers, resets and garbage: a table, and what leaks (SOAK=)
	@PUSHBENCH_SOAK=$(SOAK) go test -tags nightly -count 1 -v -timeout 0 -run '^TestSoak$$' ./servers | sed -E 's/^ +soak_test.go:[0-9]+: //'

# Tests that need a quiet machine or too much time for each change. Each part fits one CI job; the
# parts run one after the other.
NIGHTLY = nightly-selftest nightly-timed nightly-measuring nightly-conformance nightly-fuzz reproduce

.PHONY: nightly
nightly: ## run everything that needs a quiet machine or much time, part by part: about 1 hour
	@for part in $(NIGHTLY); do \
		echo "== $$part"; began=$$SECONDS; \
		$(MAKE) --no-print-directory $$part || exit 1; \
		echo "== $$part took $$((SECONDS - began)) s"; done

.PHONY: nightly-selftest
nightly-selftest: download build # the self-test with its slow checks
	@bin/pushbench selftest --long

.PHONY: nightly-timed
nightly-timed: setup # latency, age of information and engines in real time; clients beside attackers; cost of recording
	@go test -tags nightly -count 1 -v -timeout 20m ./cmd/internal/timed | grep -vE '^ *(===|---) '
	@go test -tags nightly -count 1 -v -run 'Hostile|UnderAttack' -timeout 20m ./servers | grep -vE '^ *(===|--- PASS)'
	@go test -run '^$$' -bench . -benchtime 4x -timeout 20m ./cmd/internal/endtoend

# If doctor finds no other load, only a few measured runs may be INVALID.
.PHONY: nightly-measuring
nightly-measuring: setup build # every script, every mutant build and every target
	@bin/pushbench target install || true # the tests fail with what is missing
	@quiet=; if bin/pushbench doctor --json | grep -A 1 '"check": "other load"' | grep -q '"state": "ok"'; then quiet=1; fi; \
	PUSHBENCH_QUIET_MACHINE=$$quiet go test -tags nightly -count 1 -v $(ORDINARY) -timeout 40m ./cmd/internal/endtoend | grep -E '^(--- |measured: |forgiven: |FAIL|ok|panic)|^    --- FAIL|^ +[a-z_]+_test\.go'

.PHONY: nightly-conformance
nightly-conformance: setup # the full conformance matrix on every library; every hostile server
	@go test -tags nightly -count 1 -v $(RACE) -parallel 8 -timeout 30m ./cmd/internal/conformance | grep -E '^(--- FAIL|conformance: |FAIL|ok|panic)|^ +--- FAIL|^ +[a-z_]+_test\.go'
	@go test -tags nightly -count 1 -v -run 'OneByOne|AtEachByte' ./bench/client/engines | grep -E 'KiB|^(--- |FAIL|ok|panic)'

.PHONY: nightly-fuzz
nightly-fuzz:
	@$(MAKE) --no-print-directory fuzz FUZZTIME=30s

.PHONY: build
build: ## build bin/pushbench, which records its commit
	@[ -d .git ] || ! grep -q Format cmd/pushbench/commit.txt || echo "make: no folder .git here: the build cannot record its commit" >&2 # the same in a linked worktree: https://go.dev/issue/58218
	@$(BUILD) -o bin/pushbench ./cmd/pushbench

.PHONY: targets
targets: build ## install and build the servers of all target files in servers/foreign
	@bin/pushbench target install

# Plain executables: the manifest of a run records the SHA-256 of the executable that measured it.
SYSTEMS = linux/amd64 linux/arm64 darwin/arm64

.PHONY: dist
dist: download build ## build static executables for Linux and macOS in dist/, with SHA256SUMS
	@rm -rf dist; version=$$(bin/pushbench --version | sed -E 's/^pushbench //; s/[ ,()]+/-/g; s/-$$//'); \
	for system in $(SYSTEMS); do \
		CGO_ENABLED=0 GOOS=$${system%/*} GOARCH=$${system#*/} $(BUILD) -trimpath -o "dist/pushbench-$$version-$${system/\//-}" ./cmd/pushbench; \
	done
	@cd dist && $$(command -v sha256sum || echo shasum -a 256) pushbench-* | tee SHA256SUMS

.PHONY: setup
setup: download ## install the tools that the tests need: modules, curl, a C compiler, Chromium, systemd-analyze
	@missing=; \
	command -v curl >/dev/null || missing+=" curl"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || [ "$$(go env GOOS)" = darwin ] || missing+=" chromium"; \
	[ "$$(go env GOOS)" != linux ] || command -v systemd-analyze >/dev/null || missing+=" systemd"; \
	[ -z "$(RACE)" ] || [ "$$(go env GOOS)" = darwin ] || command -v "$$(go env CC)" >/dev/null || missing+=" gcc libc6-dev"; \
	tools/apt.sh $$missing || { echo "make: the tests need$$missing" >&2; exit 1; }

.PHONY: download
download:
	@go mod download
	@go -C tools mod download
	@go -C tools/perf mod download

.PHONY: clean
clean: ## remove build output; results/runs is kept
	@rm -rf bin dist
