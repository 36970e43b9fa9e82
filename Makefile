FUZZTIME ?= 30s
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.DEFAULT_GOAL := help
.PHONY: run test bench chaos lint fuzz help

run: ## run the demo against a simulated platform
	go run ./cmd/automatond run --sandbox --config examples/demo.yaml

test: ## run all tests
	go test ./...

bench: ## measure dispatch delay, CPU, memory and start-up
	go run ./bench

chaos: ## simulate many days of faults, kill the daemon in large bursts, and lead replicas through faults
	go test ./internal/app -count=1 -timeout 1h -v -run KeepsThePromise -simulation.seeds=1000
	go test ./internal/app -count=1 -timeout 1h -v -run KeepsThePromise -simulation.seeds=4 -simulation.days=60
	go test ./cmd/automatond -count=1 -timeout 1h -v -run AfterAKill -parallel 1 -kill.runs=10000 -kill.kills=20 -patience 10m
	AUTOMATOND_CHAOS=1 go test ./cmd/automatond -count=1 -timeout 30m -v -run ThroughFaults

lint: ## check format, go vet, staticcheck
	@files=$$(gofmt -l .); test -z "$$files" || { echo "gofmt needed: $$files"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

fuzz: ## run every fuzz target for FUZZTIME (30s)
	.ci/fuzz $(FUZZTIME)

help: ## list the targets
	@awk -F ': ## ' '/^[a-z]+: ## / {printf "  make %-6s %s\n", $$1, $$2}' Makefile
