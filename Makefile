# Prerequisite: rustup. All else is installed, or named, by scripts/prepare.sh.
SHELL := /bin/bash
export PATH := $(PATH):$(HOME)/.cargo/bin
BIN := $(or $(CARGO_TARGET_DIR),target)/debug

.PHONY: help demo test bench bench-database fuzz check-s3 check-rds check-damage check-negative check-limits check-history check-pg check-drills check-deploy crash-full check-kill check-race reliability lint clean build prepare

help:
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 22

demo: build ## Loses a region and restores it, in the practice cloud; ARGS=--json for machines, ARGS=--keep to look around
	@$(BIN)/dr-lab demo $(ARGS)

test: prepare ## Everything that must hold before a change is merged
	@scripts/test.sh

check-s3: build ## The lab's S3 by boto3
	@scripts/check-s3.sh $(ARGS)

check-rds: build ## The lab's RDS by boto3
	@scripts/check-rds.sh $(ARGS)

check-pg: build ## Dumps and loads between versions of PostgreSQL, 13, 16, 17 and 18 beside the installed one (not in CI)
	@scripts/check-pg.sh $(ARGS)

check-damage: build ## Every kind of damage at every place of a vault
	@DR_FULL=1 cargo nextest run --locked --profile full --package dr --test it damage:: --no-capture

check-negative: build ## What is broken on purpose is found and named
	@scripts/check-negative.sh $(ARGS)

check-limits: prepare ## Peak memory of a backup of 2 GB, by the release binaries (not in CI)
	@scripts/check-limits.sh $(ARGS)

check-history: prepare ## How long status, log and restore take with 6,000 slots (not in CI)
	@scripts/history.sh $(ARGS)

bench: prepare ## Copies of files beside boto3 on the same practice cloud, release binaries (not in CI)
	@scripts/bench.sh

bench-database: prepare ## Dumps, loads and fingerprints beside pg_dump, s5cmd and pg_restore; ARGS=PERCENT RUNS=3 (not in CI)
	@scripts/bench-database.sh $(ARGS)

fuzz: prepare ## Feeds the entry points for what others wrote by coverage; SECONDS=60 TARGET=policy DR_REPORTS=DIR
	@scripts/fuzz.sh $(or $(SECONDS),60) $(TARGET)

crash-full: prepare ## Every call of every stage broken in every way; hours. SHARD=1/2 RESUME=FILE CASE=TEXT DR_REPORTS=DIR
	@cargo build --workspace --bins --locked --profile sets 1>&2
	@DR_FULL=1 cargo nextest run --profile full --cargo-profile sets --locked --package dr --test it crash:: $(ARGS)

check-kill: build ## N random kills of a backup and its drill; N=20 SEED=7
	@cargo nextest run --profile full --locked --package dr --test it kill:: $(ARGS)

check-drills: build ## N drills of a shop under load: no false alarm, every damage of their own noticed; N=50
	@cargo nextest run --profile full --locked --package dr --test it drills:: --no-capture $(ARGS)

check-race: build ## Two runners of one run, at every append
	@DR_FULL=1 cargo nextest run --profile full --locked --package dr --test it race:: $(ARGS)

check-deploy: prepare ## The manifests under deploy/ against the schemas of Kubernetes
	@scripts/check-deploy.sh $(ARGS)

reliability: ## docs/RELIABILITY.md from the reports in DR_REPORTS
	@scripts/reports.sh $(DR_REPORTS)
	@scripts/reliability.sh $(DR_REPORTS)

lint: ## Clippy; licences, bans, sources and known vulnerabilities of dependencies
	@scripts/prepare.sh deny
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@scripts/shape.sh
	@scripts/deny.sh

clean: ## Removes what was built
	cargo clean

build: prepare
	@cargo build --workspace --bins --locked 1>&2

prepare:
	@scripts/prepare.sh 1>&2
