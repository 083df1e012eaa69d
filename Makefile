# Every step of CI is a command here. Each keeps a stamp: what has not changed is not done again.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)

STAMPS := .venv/stamps
PYTHON_DONE := $(STAMPS)/python
NODE_DONE := webapp/node_modules/.lianban-installed
ASSETS_DONE := webapp/static/dist/.lianban-built
DOCUMENTS_DONE := $(STAMPS)/documents
SYSTEM_DONE := $(STAMPS)/system
DATABASE_DONE := var/.lianban-migrated
ASSET_SOURCES := $(shell find webapp/assets modeler -type f -not -name client.js 2>/dev/null) webapp/build.mjs
MIGRATIONS := $(shell find engine/store/migrations -name '*.py' 2>/dev/null)
PYTHON_SOURCES := engine handlers webapp tests benchmarks

.PHONY: help setup run test lint bench soak assets

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(SYSTEM_DONE) $(PYTHON_DONE) $(ASSETS_DONE) $(DATABASE_DONE) ## Install all that development needs: venv, assets, database, Chromium, PostgreSQL

run: $(PYTHON_DONE) $(DOCUMENTS_DONE) $(ASSETS_DONE) ## Set up what the server needs, then serve the demo on http://localhost:8080 (a second run keeps the data)
	lianban demo
	LIANBAN_DEMO=1 exec lianban serve

test: setup ## Set up, then run every test, on SQLite and PostgreSQL, in Chromium; TESTS="tests/webapp -k page" chooses some
	pytest -n 2 --dist loadfile --no-loadscope-reorder $(or $(TESTS),tests)

lint: $(PYTHON_DONE) ## ruff, mypy --strict, and the rules of the layers (import-linter)
	ruff check .
	ruff format --check .
	mypy --strict
	lint-imports

bench: setup ## The ratio benchmarks; fails where a number misses its target
	python -m benchmarks

soak: setup ## The big counts that the issues name: many random cases, many whole projects (long)
	HYPOTHESIS_PROFILE=soak pytest -n 2 --dist loadfile -m scaled --timeout 7200 tests
	lianban simulate --variant all --projects 200 --seed 1 --quiet

assets: $(ASSETS_DONE) ## Bundle the browser's scripts and styles into webapp/static/dist

$(PYTHON_DONE): requirements.lock pyproject.toml scripts/setup
	scripts/setup python
	@mkdir -p $(@D) && touch $@

$(DOCUMENTS_DONE): scripts/setup | $(PYTHON_DONE)
	scripts/setup documents
	@mkdir -p $(@D) && touch $@

$(SYSTEM_DONE): scripts/setup | $(DOCUMENTS_DONE)
	scripts/setup system
	@mkdir -p $(@D) && touch $@

$(NODE_DONE): webapp/package.json webapp/package-lock.json | $(PYTHON_DONE)
	scripts/setup node
	@touch $@

$(ASSETS_DONE): $(NODE_DONE) $(ASSET_SOURCES)
	scripts/setup assets
	@touch $@

$(DATABASE_DONE): $(PYTHON_DONE) $(MIGRATIONS)
	lianban migrate
	@mkdir -p $(@D) && touch $@
