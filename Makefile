# `make` alone says what there is to do.

PROFILE ?= quick
DEVICE ?= cpu
JOBS ?=
FRESH ?=
ONLY ?=
PORT ?= 8000
VENV ?= .venv
PYTHON ?= python3.11 python3 python python3.12 python3.13 python3.14

notebooks := $(wildcard notebooks/*.py notebooks/*/*.py)
names := $(basename $(notdir $(notebooks)))

# What means nothing stops here, before any work.
one-of = $(if $(filter-out $(2),$($(1))),$(error $(1) is '$($(1))'; choose from: $(2)))
$(call one-of,PROFILE,smoke quick paper)
$(call one-of,DEVICE,cpu cuda)
$(call one-of,FRESH,0 1)
$(call one-of,ONLY,$(names))
ifneq ($(JOBS),)
ifeq ($(shell echo '$(JOBS)' | grep -Ex '[1-9][0-9]*'),)
$(error JOBS is '$(JOBS)'; it must be a whole number from 1)
endif
endif

# With ONLY, pages that were never made are made too: the book has to be whole.
executed = $(wildcard $(1:notebooks/%.py=book/executed/%.ipynb))
unmade = $(foreach path,$(notebooks),$(if $(call executed,$(path)),,$(basename $(notdir $(path)))))
only = $(if $(ONLY),$(sort $(ONLY) $(unmade)))
options = --device $(DEVICE) $(if $(JOBS),--jobs $(JOBS)) $(if $(filter 1,$(FRESH)),--fresh)

ready := $(VENV)/lazybook-is-ready
run := $(VENV)/bin

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup book test check-notebooks serve lint bench clean

help:  ## show this
	@echo "usage: make TARGET [VARIABLE=value …]"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  PROFILE=quick    how much to compute: smoke (seconds), quick (minutes) or paper (hours, if"
	@echo "                   its published records in results/ are not there or are out of date)"
	@echo "  DEVICE=cpu       where: cpu or cuda"
	@echo "  JOBS=            experiments at a time; none given: one a core"
	@echo "  FRESH=1          compute again what the run store already has"
	@echo "  ONLY=            notebooks to run, besides those that never were: $(names)"
	@echo "  PORT=8000        for serve"
	@echo "  VENV=.venv       the environment, made when missing with the first good one of"
	@echo "                   PYTHON=\"$(PYTHON)\""

setup: $(ready)  ## make the environment, or bring it up to date

book: $(ready)  ## compute the figures and build the book
	@echo "computing the figures, profile $(PROFILE)"
	@$(run)/lazybook figures --profile $(PROFILE) $(options) $(addprefix --only ,$(only))
	@echo "building the pages"
	@mkdir -p build
	@$(run)/jupyter-book build book --all -W -n --keep-going --quiet >build/pages.log
	@$(run)/python -m lazybook.book.checks
	@echo "the book is whole; open _build/html/index.html"

test: $(ready)  ## run the tests
	@$(run)/python -m pytest -n $(or $(JOBS),auto)

check-notebooks: $(ready)  ## run the smoke notebooks again and compare their outputs
	@$(run)/lazybook figures --profile smoke --output build/smoke $(if $(JOBS),--jobs $(JOBS))
	@echo "running them again, with nothing in the run store"
	@runs=$$(mktemp -d) && trap 'rm -rf "$$runs"' EXIT && \
	LAZYBOOK_RUNS="$$runs" $(run)/python -m pytest -p no:cacheprovider \
	  --nbval-lax --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg \
	  $$(find build/smoke -name '*.ipynb' ! -name scorecard.ipynb | sort) build/smoke/scorecard.ipynb

serve:  ## show the built book in a browser
	@test -f _build/html/index.html || { echo "error: there is no book yet; make book" >&2; exit 1; }
	@echo "open http://localhost:$(PORT), stop with Ctrl-C"
	@$(run)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

lint: $(ready)  ## check style and formatting
	@$(run)/ruff check .
	@$(run)/ruff format --check .

bench: $(ready)  ## time the engines against plain loops, and against this core's caches
	@$(run)/lazybook bench

clean:  ## remove what was built (not the environment, the data or the run store)
	rm -rf _build build book/executed

$(ready): pyproject.toml constraints.txt
	@if [ ! -x $(run)/python ]; then \
	  for python in $(PYTHON); do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then found="$$python"; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "error: Python 3.11 or newer is needed, none found as: $(PYTHON); say where it is with PYTHON=…" >&2; \
	    exit 1; \
	  fi; \
	  echo "making the environment $(VENV) with $$found"; \
	  "$$found" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; \
	fi
	@echo "installing into $(VENV): about a minute and 2 GB the first time"
	@$(run)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[book,test]'
	@touch $@
