# make lists what there is to make. It needs Go, git and make; everything else is
# fetched, or said to be missing.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SCENARIO ?= chat# what make bench measures
ARGS     ?=# more for it, such as ARGS='--repetitions 12'
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

# The go command writes commit and tag into a build, also where GOFLAGS says otherwise.
BUILD := go build -buildvcs=auto

.PHONY: help
help: ## list these targets
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: bench
bench: download build ## measure the chat scenario: table, sentences, report.html (SCENARIO=, ARGS=)
	@bin/pushbench run $(SCENARIO) $(ARGS)

.PHONY: charts
charts: build ## draw the newest run again, from its files
	@newest=$$(ls -td results/runs/*/ 2>/dev/null | head -n 1); \
	if [ -z "$$newest" ]; then echo "make: there is no run in results/runs yet: make bench" >&2; exit 2; fi; \
	bin/pushbench report "$$newest"

.PHONY: reproduce
reproduce: download build ## measure again what results/reference holds, and say which of its claims hold here
	@bin/pushbench check results/reference/*/

# What measures runs last and alone, so that nothing else makes it late. The race detector
# makes tests five to twenty times slower: packages without a goroutine, lock or atomic of
# their own, in which it can find nothing, run without it, and so does what a browser draws.
PACKAGES   = $(eval PACKAGES := $(shell go list $(PKG)))$(PACKAGES)
MEASURING  = $(filter %/endtoend,$(PACKAGES))
OTHERS     = $(filter-out $(MEASURING),$(PACKAGES))
with       = $(addprefix pushbench/,$(patsubst %/,%,$(sort $(dir $(shell grep -rlE '$(1)' --include=$(2) bench cmd results scenarios servers)))))
CONCURRENT = $(eval CONCURRENT := $(filter-out %/browser,$(filter $(call with,$(STARTS),*.go),$(OTHERS))))$(CONCURRENT)
SEQUENTIAL = $(filter-out $(CONCURRENT),$(OTHERS))
COUNTING   = $(eval COUNTING := $(filter $(call with,$(COUNTS),*_test.go),$(OTHERS)))$(COUNTING)
STARTS    := \<go (func|[a-z.]+\()|\.Go\(|Parallel\(|sync\.(Mutex|RWMutex|WaitGroup|Cond)|atomic\.
COUNTS    := ^func (Benchmark|Test.*(Alloc|Exhaustively))
GOTESTSUM = $(TOOL) gotestsum --format pkgname --format-hide-empty-pkg

.PHONY: test
test: ## every test but those of make nightly, then the time per package and the slowest ten
	@rm -f bin/tests-*.json; failed=; \
	$(MAKE) --no-print-directory test-race || failed=1; \
	$(MAKE) --no-print-directory test-measuring || failed=1; \
	go -C tools run ./testtimes $(CURDIR)/bin/tests-*.json; \
	[ -z "$$failed" ]

.PHONY: test-race
test-race: setup ## allocations, each benchmark once, and all that does not measure, under the race detector where it can find anything
	@mkdir -p bin
	@[ -z "$(ORDINARY)" ] || echo "make: not root, so the tests that make network namespaces are left out"
	@[ -z "$(COUNTING)" ] || { echo "without the race detector: allocations, what is exhaustive, and each benchmark once"; \
		go test -run "Alloc|Exhaustively" -bench . -benchtime 1x $(ORDINARY) -timeout 4m $(COUNTING); }
	@[ -z "$(SEQUENTIAL)" ] || { echo "without the race detector: what has no goroutine"; \
		$(GOTESTSUM) --jsonfile bin/tests-1.json -- $(ORDINARY) -timeout 4m $(SEQUENTIAL); }
	@[ -z "$(CONCURRENT)" ] || { echo "under the race detector"; \
		$(GOTESTSUM) --jsonfile bin/tests-2.json -- $(RACE) $(ORDINARY) -p 3 -parallel 8 -timeout 8m $(CONCURRENT); }
	@[ "$(PKG)" != ./... ] || go -C tools/perf test $(RACE) -timeout 4m ./...

.PHONY: test-measuring
test-measuring: setup ## what measures, alone, on a plain binary
	@mkdir -p bin
	@[ -z "$(MEASURING)" ] || { echo "alone, on a plain binary: what measures"; \
		$(GOTESTSUM) --jsonfile bin/tests-3.json -- $(ORDINARY) -timeout 15m $(MEASURING); }

# The tests have a target of their own, so that this one answers in a minute.
.PHONY: check
check: download ## everything but the tests: format, vet, staticcheck, tidy, walls, generated files, other systems
	@echo "gofumpt";     files=$$($(TOOL) gofumpt -l .); [ -z "$$files" ] || { echo "not formatted (go tool -modfile=tools/go.mod gofumpt -w .):"; echo "$$files"; exit 1; }
	@echo "go vet";      go vet ./...; go vet -tags nightly ./cmd/...; go -C tools vet ./...; go -C tools/perf vet ./...
	@echo "staticcheck"; $(TOOL) staticcheck -tags nightly ./...; go -C tools/perf tool -modfile=../go.mod staticcheck ./...
	@echo "go mod tidy"; go mod tidy -diff; go -C tools mod tidy -diff; go -C tools/perf mod tidy -diff
	@echo "imports";     go test -run 'Layout|Folders' ./cmd/pushbench
	@echo "tools";       go -C tools test ./...
	@echo "go generate"; before=$$(git diff -- '*.schema.json'); go generate ./...; [ "$$before" = "$$(git diff -- '*.schema.json')" ] || { echo "the schemas were not those of the types: commit what go generate ./... has written"; exit 1; }
	@for system in linux/arm64 darwin/arm64; do \
		echo "go vet for $$system"; GOOS=$${system%/*} GOARCH=$${system#*/} go vet ./...; done

# Built, because go run hides the exit code and does not pass SIGTERM on.
.PHONY: perf
perf: peers build ## what a delivery, a poll, an idle client costs beside wrk, k6, nchan and bare floors (ROWS=, PAIRS=)
	@go -C tools/perf build -o $(CURDIR)/bin/perf .
	@bin/perf -only '$(ROWS)' -pairs $(PAIRS) $(if $(filter .,$(ROWS)),-out results/reference)

# Without a peer its rows give the reason, so none stops make perf.
.PHONY: peers
peers: download
	@missing=; \
	command -v wrk >/dev/null || missing+=" wrk"; \
	[ -x bin/k6 ] || GOBIN=$(CURDIR)/bin go install $(K6) || echo "make: not compared with k6, which cannot be installed" >&2; \
	[ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] || missing+=" nginx-light libnginx-mod-nchan"; \
	tools/apt.sh $$missing || echo "make: not compared with$$missing" >&2

.PHONY: micro
micro: download ## Go benchmarks of the hot paths, with allocations (PKG=, BENCH=, TIME=, COUNT=)
	@go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(TIME) -count $(COUNT) $(PKG) | grep -v 'no test files'

.PHONY: fuzz
fuzz: download ## run each fuzz target for 20 s, as many at once as there are cores (FUZZTIME=)
	@{ go test -list '^Fuzz' $(PKG); [ "$(PKG)" != ./... ] || go -C tools/perf test -list '^Fuzz' .; } | \
	awk '/^Fuzz/ { targets[++n] = $$1 } /^ok/ { for (i = 1; i <= n; i++) print $$2, targets[i]; n = 0 }' | \
	xargs -P "$$(getconf _NPROCESSORS_ONLN)" -L 1 tools/fuzz.sh $(FUZZTIME)

# What needs a quiet machine, or more time than a change may take. Each part fits a job of
# its own; they run one after the other.
NIGHTLY = nightly-selftest nightly-timed nightly-measuring nightly-whole nightly-fuzz reproduce

.PHONY: nightly
nightly: ## everything that takes a quiet machine or long, part by part: about an hour
	@for part in $(NIGHTLY); do \
		echo "== $$part"; began=$$SECONDS; \
		$(MAKE) --no-print-directory $$part || exit 1; \
		echo "== $$part took $$((SECONDS - began)) s"; done

.PHONY: nightly-selftest
nightly-selftest: download build # the self-test with its slow proofs
	@bin/pushbench selftest --long

.PHONY: nightly-timed
nightly-timed: setup # latencies, ages and engines in real time; what recording costs; what an idle client takes
	@go test -tags nightly -count 1 -v -timeout 20m ./cmd/internal/timed | grep -vE '^ *(===|---) '
	@go test -run '^$$' -bench . -benchtime 4x -timeout 20m ./cmd/internal/endtoend

# Where the doctor calls the machine quiet, few measured runs may be INVALID.
.PHONY: nightly-measuring
nightly-measuring: setup build # every script and every broken build
	@quiet=; if bin/pushbench doctor --json | grep -A 1 '"check": "other load"' | grep -q '"state": "ok"'; then quiet=1; fi; \
	PUSHBENCH_QUIET_MACHINE=$$quiet go test -tags nightly -count 1 -v $(ORDINARY) -timeout 40m ./cmd/internal/endtoend | grep -E '^(--- |measured: |forgiven: |FAIL|ok|panic)|^    --- FAIL|^ +[a-z_]+_test\.go'

.PHONY: nightly-whole
nightly-whole: setup # the whole conformance matrix on every library
	@go test -tags nightly -count 1 $(RACE) -parallel 8 -timeout 30m ./cmd/internal/conformance

.PHONY: nightly-fuzz
nightly-fuzz:
	@$(MAKE) --no-print-directory fuzz FUZZTIME=30s

.PHONY: build
build: ## bin/pushbench, which knows its commit
	@[ -d .git ] || echo "make: there is no folder .git here, so the build does not know its commit" >&2 # nor in a linked worktree: https://go.dev/issue/58218
	@$(BUILD) -o bin/pushbench ./cmd/pushbench

# Bare executables: each has the SHA-256 that a run's manifest records of what measured it.
SYSTEMS = linux/amd64 linux/arm64 darwin/arm64

.PHONY: dist
dist: download build ## static executables for Linux and macOS in dist/, with SHA256SUMS
	@rm -rf dist; version=$$(bin/pushbench --version | sed -E 's/^pushbench //; s/[ ,()]+/-/g; s/-$$//'); \
	for system in $(SYSTEMS); do \
		CGO_ENABLED=0 GOOS=$${system%/*} GOARCH=$${system#*/} $(BUILD) -trimpath -o "dist/pushbench-$$version-$${system/\//-}" ./cmd/pushbench; \
	done
	@cd dist && $$(command -v sha256sum || echo shasum -a 256) pushbench-* | tee SHA256SUMS

.PHONY: setup
setup: download ## fetch what the tests need: modules, curl, a C compiler, Chromium
	@missing=; \
	command -v curl >/dev/null || missing+=" curl"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || [ "$$(go env GOOS)" = darwin ] || missing+=" chromium"; \
	[ -z "$(RACE)" ] || [ "$$(go env GOOS)" = darwin ] || command -v "$$(go env CC)" >/dev/null || missing+=" gcc libc6-dev"; \
	tools/apt.sh $$missing || { echo "make: the tests need$$missing" >&2; exit 1; }

.PHONY: download
download:
	@go mod download
	@go -C tools mod download
	@go -C tools/perf mod download

.PHONY: clean
clean: ## remove what was built; what was measured in results/runs stays
	@rm -rf bin dist
