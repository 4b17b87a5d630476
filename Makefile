# Targets for people; .ci/run is what a submission must pass.
.PHONY: build test race lint fuzz fuzz-long bench scale load knownbad chaos chaos-embedded check

build: ## a static binary in bin/
	CGO_ENABLED=0 go build -trimpath -o bin/usher ./cmd/usher

test: ## what the README says
	go test ./...

race: ## all tests with the race detector, nothing skipped
	CI=true go test -race -timeout 30m ./...

lint:
	go build -modfile=tools/lint/go.mod -o bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/golangci-lint run ./...

fuzz: ## every fuzz target for 20 s
	.ci/fuzz 20s

fuzz-long: ## every fuzz target for 10 min
	.ci/fuzz 10m

bench: build ## ratios against the reference handlers at 100 000 users
	bin/usher bench --users 100000

scale: build ## 1 000 000 users, a group of 500 000, 1 000 organizations on a cluster
	bin/usher bench --scale --json scale.json

load: build ## 40 organizations, 25 requests a second each, for 5 minutes
	.ci/load 5m

knownbad: ## changes for the worse, each of which some test must notice
	go test -timeout 30m -tags knownbad ./conformance/knownbad

SEEDS ?= 20
FAULT ?= .*
chaos: ## every fault with SEEDS seeds, about 40 minutes; FAULT=F1 runs one. Needs root for the full disk
	USHER_CHAOS=$(SEEDS) go test -v -count=1 -timeout 150m -parallel 2 -run '^TestLong$$/^($(FAULT))$$' ./conformance/chaos

chaos-embedded: ## kill -9 of a server over a data directory under load, 1 000 times
	USHER_KILLS=$${USHER_KILLS:-1000} go test -count=1 -timeout 60m -v -run '^TestKilledServerLosesNothing$$' ./cmd/usher

check: lint race knownbad fuzz
