# Each target is a script or a cargo command, so everything also works without make.
.DEFAULT_GOAL := help
.PHONY: help run test check chaos bench size widget clean

# rustup puts cargo here, and only login shells look there.
export PATH := $(PATH):$(HOME)/.cargo/bin

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build what is out of date and start the server (PARLOUR_ADDR, PARLOUR_DATA, PARLOUR_PUBLIC_URL)
	@exec scripts/run

release: ## Build target/release/parlour, the one file that a server needs
	@exec scripts/release

test: ## Install what the tests need, then run all of them
	@exec scripts/test

check: ## Formatting, lints and the quick tests, for the inner loop
	@exec scripts/test quick

chaos: ## Every fault against real processes, about an hour; QUICK=1: 10 minutes
	@exec scripts/chaos

bench: ## Measure against the peer and the floor, about 40 minutes; QUICK=1: 10, and each figure once
	@exec scripts/bench

size: widget ## Print the size of the widget against its budget, and write target/size.json
	@cargo xtask size

widget: ## Build the widget and the dashboard's files into target/widget
	@cargo xtask widget

clean: ## Remove what was built; the data folder stays
	rm -rf target bench/peer/node_modules tests/browser/node_modules tests/browser/output
