# Thin: the work is in graders/cli (Python), so that it is the same on every system.
PYTHON ?= python3
VENV := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup lab test claims bench

help:  ## Show what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## Install the course into .venv
	@$(PYTHON) graders/cli/bootstrap.py setup

lab:  ## Set up, then open the course in JupyterLab
	@$(PYTHON) graders/cli/bootstrap.py lab $(ARGS)

test:  ## Set up, then run every test
	@$(PYTHON) graders/cli/bootstrap.py test $(ARGS)

claims: setup  ## Measure every claim over 5 seeds and write docs/claims.md
	@$(VENV) -m tlwidgets.claims $(ARGS)

bench: setup  ## Measure speeds and write bench.json
	@$(PYTHON) graders/cli/bootstrap.py setup --test
	@$(VENV) -m tests.bench $(ARGS)
