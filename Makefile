# Building and `make devnet` need Go, a C compiler and make; the tests need redis-server too, and Node.js
# to try viem and ethers. `make help` lists the targets.

GO        ?= go
FUZZTIME  ?= 30s
SOAKTIME  ?= 30m
BENCHTIME ?= 1s
COMPARE_BLOCKS ?= 200
KILLS     ?= 25
ARGS      ?=

BIN     := bin
OPSTACK := $(BIN)/opstack

# Version stamped into the binaries; empty in a tree without git.
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
DATE    := $(shell git log -1 --format=%cd --date=format:%Y%m%d 2>/dev/null)
OPGETH  := $(shell sed -nE 's|^replace github.com/ethereum/go-ethereum => .* (v[0-9.a-z-]+)$$|\1|p' go.mod)
LDFLAGS := -X main.gitCommit=$(COMMIT) -X main.gitDate=$(DATE) -X github.com/ethereum/go-ethereum/version.gitTag=$(OPGETH)
BUILD   := $(GO) build -trimpath -buildvcs=false -ldflags "$(LDFLAGS)"

# The linter, built once from the version that tools/go.mod pins.
LINT_VERSION := $(shell sed -nE 's|^[[:space:]]*(require )?github.com/golangci/golangci-lint/v2 (v[0-9.]+).*|\2|p' tools/go.mod)
LINT         := $(BIN)/tools/golangci-lint-$(LINT_VERSION)

# go test with the output that it has without -json, and at the end which tests failed and why.
GOTEST := $(GO) run -buildvcs=false ./tests/internal/gotest

# Everything but the end-to-end tests, and the packages with goroutines of their own.
UNIT_PACKAGES = $(shell $(GO) list ./... | grep -v /flashgeth/tests)
RACE_PACKAGES = $(shell $(GO) list ./... | grep -E '/flashgeth/(flashblocks|miner|eth|devnet|proxy|boost)(/|$$)')

.DEFAULT_GOAL := help
.PHONY: help build test prerequisites test-unit test-race test-e2e test-upstream bench bench-proxy soak-proxy compare robust fuzz lint fmt tidy-check opstack devnet soak clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## build the binaries into bin/: flashgeth, flashboost, flashproxy, devnet
	@echo "==> building flashgeth, flashboost, flashproxy and devnet (a cold cache takes some minutes)"
	@mkdir -p $(BIN)
	$(BUILD) -o $(BIN)/ ./cmd/flashgeth ./cmd/flashboost ./cmd/flashproxy ./cmd/devnet

test: prerequisites build test-unit test-race test-e2e ## run all tests: unit, race, end to end with the real op-node

# What tests run beside our own programs is looked for before anything is built. Without Node.js the tests of
# viem and ethers say that they do not run; CI must have it.
prerequisites:
	@command -v redis-server >/dev/null || { \
		echo "The tests need redis-server, which is not installed: apt-get install redis-server, or brew install redis." >&2; exit 1; }
	@command -v npm >/dev/null || \
		echo "==> Node.js with npm is not installed: viem and ethers WILL NOT BE TESTED" >&2

test-unit: opstack ## run the tests beside the code
	@echo "==> unit tests"
	$(GOTEST) -timeout 20m $(UNIT_PACKAGES)

test-race: opstack ## run the concurrent packages under the race detector (-short: fewer rounds, same tests)
	@echo "==> race tests"
	$(GOTEST) -race -short -timeout 20m $(RACE_PACKAGES)

# One package at a time: these tests measure slots, and must not compete for the processors. The shortest
# ones come first, and then whatever else there is.
test-e2e: prerequisites build opstack ## run the end-to-end tests and the canaries (tests/...)
	@echo "==> end-to-end tests"
	$(GOTEST) -p 1 -count 1 -timeout 30m ./tests/internal/... ./tests/upstream ./tests/proxy ./tests/clients ./tests/compare ./tests/...

test-upstream: ## run the canaries that watch op-geth; first thing to run after a version bump
	$(GO) test -count 1 ./tests/upstream/...

# The rows of the README's table that have targets: package, benchmark, and how often it runs. A percentile
# needs that many samples however fast the machine is; p99 of publish offsets comes from 300 flashblocks.
FIGURES := \
	./miner:FullBlock:30x ./miner:Empty:30x ./miner:GetPayload:30x ./miner:Offset:30x ./miner:Exact:100x \
	./miner:Fees:10x ./miner:SmallPayers:1x ./miner:LateSlot:30x ./miner:Failing:10x ./miner:NewAttributes:3x \
	./eth:Forkchoice:400x ./eth/overlay:ArrivalToSnapshot:20x ./tests/compare:CallAtPending:1s \
	./tests/clients:Preconfirmation:1x ./tests/clients:Lag:1x ./boost/round:Rounds100k:1x ./boost:Added:2s

bench: build opstack ## run the benchmarks, first those of the README's figures
	@echo "==> figures of the README"
	$(foreach row,$(FIGURES),$(call figure,$(subst :, ,$(row)))$(newline))
	@echo "==> all other benchmarks"
	$(GO) test -p 1 -run '^$$' -bench . -skip '$(subst $(space),|,$(foreach row,$(FIGURES),$(word 2,$(subst :, ,$(row)))))' \
		-benchmem -benchtime $(BENCHTIME) -timeout 60m ./...

figure = $(GO) test -run '^$$' -bench '$(word 2,$1)' -benchmem -benchtime $(word 3,$1) -timeout 20m $(word 1,$1)
space := $(subst ,, )
define newline


endef

bench-proxy: ## compare flashproxy's fan-out with a bare loop of writes and other libraries, 9,000 subscribers
	@echo "==> fan-out of flashproxy beside its peers"
	cd proxy/bench && $(GO) test -run '^$$' -bench Peers -benchtime 1x -timeout 30m .

soak-proxy: ## run flashproxy for ten minutes with 2,000 clients that die and resume while upstreams restart
	PROXY_SOAK_TIME=10m PROXY_SOAK_CLIENTS=2000 $(GO) test -run TestSoak -count 1 -v -timeout 30m ./tests/proxy

compare: build opstack ## compare every pending answer over COMPARE_BLOCKS (200) blocks of a devnet under load with op-geth's
	COMPARE_BLOCKS=$(COMPARE_BLOCKS) $(GO) test -run TestCompareDevnet -count 1 -v -timeout 60m ./tests/compare

robust: build opstack ## kill -9 the node under the real op-node, KILLS (25) times for each way to keep the state
	FLASHGETH_KILLS=$(KILLS) $(GO) test -run '^TestCrashes$$' -count 1 -v -timeout 6h ./tests/e2e

fuzz: ## run the random tests with new seeds, and every fuzz target for FUZZTIME (30s)
	@echo "==> random tests with new seeds"
	FLASHGETH_SEED=random $(GO) test -count 3 -timeout 30m ./miner ./proxy ./eth/restart
	@grep -rlE --include='*_test.go' --exclude-dir=bin --exclude-dir=build --exclude-dir=tools '^func Fuzz[A-Z]' . | sort | while read -r file; do \
		sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' "$$file" | while read -r target; do \
			echo "==> $$(dirname "$$file") $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x "$$(dirname "$$file")" </dev/null || exit 1; \
		done || exit 1; \
	done

lint: $(LINT) ## check style, mistakes and the direction of imports
	@echo "==> linting"
	$(LINT) run ./...

fmt: $(LINT) ## format the code
	$(LINT) fmt ./...

$(LINT):
	@echo "==> building golangci-lint $(LINT_VERSION) (once, some minutes)"
	cd tools && $(GO) build -trimpath -buildvcs=false -o ../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

tidy-check: ## check that go.mod and go.sum are complete and minimal, and that proxy/bench, a module of its own, compiles
	$(GO) mod tidy -diff
	cd tools && $(GO) mod tidy -diff
	cd proxy/bench && $(GO) mod tidy -diff && $(GO) vet ./...

opstack: ## build the real OP Stack programs (op-node, op-geth and others) into bin/opstack (once)
	@echo "==> op-stack binaries"
	$(GO) run -buildvcs=false ./devnet/opstack/build -o $(OPSTACK)
	$(GO) build -trimpath -buildvcs=false -o $(OPSTACK)/geth github.com/ethereum/go-ethereum/cmd/geth

devnet: build opstack ## run L1, op-node, flashgeth and flashproxy on loopback and show every flashblock (ARGS="--load 100")
	$(BIN)/devnet $(ARGS)

soak: build opstack ## run the devnet under load for SOAKTIME (30m)
	$(BIN)/devnet --duration $(SOAKTIME) --load 200 $(ARGS)

clean: ## remove what the other targets built
	rm -rf $(BIN) build
