# Thin: the work is done in graders/cli (Python), so that it is the same on every system.
PYTHON ?= python3
VENV := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup lab quick test test-long docs claims bench

help:  ## Show what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## Install the course into .venv (WITH=grading for instructors; or cluster, docs, test)
	@$(PYTHON) graders/cli/bootstrap.py setup $(addprefix --with ,$(WITH))

lab:  ## Set up, then open the course in JupyterLab
	@$(PYTHON) graders/cli/bootstrap.py lab $(ARGS)

quick:  ## Run the unit tests, the type checker and the linters: under 90 seconds
	@$(PYTHON) graders/cli/bootstrap.py quick $(ARGS)

test:  ## Set up, then run every test: under 15 minutes
	@$(PYTHON) graders/cli/bootstrap.py test $(ARGS)

test-long:  ## Run what `make test` leaves out (CONTRIBUTING.md says what and why)
	@$(PYTHON) graders/cli/bootstrap.py test-long $(ARGS)

docs:  ## Build the documentation, with the API reference, into site/
	@$(PYTHON) graders/cli/bootstrap.py docs $(ARGS)

claims:  ## Measure every claim over 5 seeds and write docs/claims.md
	@$(PYTHON) graders/cli/bootstrap.py setup --with grading
	@$(VENV) -m course.claims $(ARGS)

bench:  ## Measure speeds and write bench.json
	@$(PYTHON) graders/cli/bootstrap.py setup --with test
	@$(VENV) -m tests.bench $(ARGS)
