# Prerequisite: rustup. All else is installed, or named, by scripts/prepare.sh.
SHELL := /bin/bash
export PATH := $(PATH):$(HOME)/.cargo/bin
BIN := $(or $(CARGO_TARGET_DIR),target)/debug

.PHONY: help demo test check-s3 check-rds check-negative check-limits check-deploy lint clean build prepare

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

check-negative: build ## What is broken on purpose is found and named
	@scripts/check-negative.sh $(ARGS)

check-limits: prepare ## Peak memory of a backup of 2 GB, by the release binaries (not in CI)
	@scripts/check-limits.sh $(ARGS)

check-deploy: prepare ## The manifests under deploy/ against the schemas of Kubernetes
	@scripts/check-deploy.sh $(ARGS)

lint: ## Clippy; licences, bans, sources and known vulnerabilities of dependencies
	@scripts/prepare.sh deny
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@scripts/deny.sh

clean: ## Removes what was built
	cargo clean

build: prepare
	@cargo build --workspace --bins --locked 1>&2

prepare:
	@scripts/prepare.sh 1>&2
