# Every way in: `make help` lists them. The servers start by themselves; see docs/operations.md.

.DEFAULT_GOAL := help
.PHONY: help install demo test check accept faults lock messages chromium clean

# requirements.lock is what production runs; the other one adds what tests and checks need.
LOCK ?= requirements-dev.lock
PYTHON ?=
BIN := .venv/bin
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
UV_RELEASE := uv==0.13.9
APPS := audit portal approvals agents
export UV_HTTP_TIMEOUT ?= 180
export PIP_DISABLE_PIP_VERSION_CHECK = 1

NEW_ENOUGH := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
STAMP := .venv/.installed

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

install: ## build .venv from the lock, unless it stands already
	@test "$$(cat $(STAMP) 2>/dev/null)" = "$$(cat $(LOCK) | cksum) $(CURDIR)" || $(MAKE) --no-print-directory .venv-anew

# The stamp holds the lock's checksum and this folder: a changed lock or a moved checkout builds anew.
.PHONY: .venv-anew
.venv-anew:
	@rm -f $(STAMP)
	@found=; for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14); do \
	  if "$$python" -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then found=$$python; break; fi; done; \
	if [ -z "$$found" ]; then \
	  echo "Python >= 3.11 with its venv module is needed (Debian: python3-venv); PYTHON=path names one" >&2; exit 2; \
	fi; \
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix != "$(CURDIR)/.venv")' \
	  >/dev/null 2>&1 || "$$found" -m venv --clear .venv; \
	test -x "$(UV)" || { rm -rf .uv && "$$found" -m venv .uv && .uv/bin/pip install -q "$(UV_RELEASE)"; } || true
	@if test -x "$(UV)" && "$(UV)" pip sync -q --python $(BIN)/python --require-hashes $(LOCK); then :; else \
	  echo "uv could not do it; pip does" >&2; \
	  $(BIN)/python -m ensurepip >/dev/null && $(BIN)/python -m pip install -q --require-hashes -r $(LOCK); \
	fi
	@echo "$$(cat $(LOCK) | cksum) $(CURDIR)" > $(STAMP)

demo: install ## everything at once, with a sample workspace; Ctrl-C stops it
	@$(BIN)/python manage.py demo $(ARGS)

# Without Chromium the other tests still run, and the run fails at its end: the suite sees to that.
test: install ## the whole suite, on real servers and in a real browser; ARGS="-k name" for a part
	@CHROMIUM="$$($(MAKE) --no-print-directory -s chromium)"; export CHROMIUM; $(BIN)/pytest $(ARGS)

check: install ## style, types, fences, secrets, dependencies, migrations, house rules, the golden set
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -ll -r $(APPS) manage.py
	$(BIN)/deptry .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check
	$(BIN)/pytest tests/house
	$(BIN)/python manage.py evaluate all --data tests/golden --bars tests/golden/bars.json

faults: install ## every fault of the design by its number, with real servers killed; ARGS="7 10" for some
	@$(BIN)/python -m tests.faults $(ARGS)

accept: install ## every promise as a figure, measured here
	@$(BIN)/python -m tests.accept $(ARGS)

# --universal: one lock serves every Python from 3.11.0 on; some packages are needed by a few of them only.
COMPILE = "$(UV)" pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: install ## write both locks anew from pyproject.toml
	@$(COMPILE) pyproject.toml -o requirements.lock
	@$(COMPILE) --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

messages: install ## put new texts into the catalogues of translations and compile them
	@$(BIN)/python -m tests.messages

chromium: ## print where Chromium is; as root install it where it is missing
	@find() { \
	  for name in "$$CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable \
	    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do \
	    if [ -n "$$name" ] && "$$name" --version >/dev/null 2>&1; then command -v "$$name"; return 0; fi; \
	  done; return 1; }; \
	find && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing the Debian package chromium" >&2; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    chromium; } >/dev/null </dev/null; \
	  find && exit 0; \
	fi; \
	echo "no Chromium found: install the Debian package chromium, or set CHROMIUM to its path" >&2; exit 1

clean: ## remove what install and the checks made; data stays
	@rm -rf .venv .uv .ruff_cache .mypy_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
