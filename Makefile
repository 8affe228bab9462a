# `make` alone says what there is to do.

PROFILE ?= quick
DEVICE ?= cpu
JOBS ?=
FRESH ?=
ONLY ?=
PORT ?= 8000
VENV ?= .venv
PYTHON ?= python3.11 python3 python python3.12 python3.13 python3.14

variables := PROFILE DEVICE JOBS FRESH ONLY PORT VENV PYTHON LAZYBOOK_DATA LAZYBOOK_RUNS
notebooks := $(wildcard notebooks/*.py notebooks/*/*.py)
names := $(basename $(notdir $(notebooks)))

# What means nothing stops here: before any work, and before a shell sees it.
$(if $(names),,$(error there are no notebooks here; go to the Makefile's folder, or make -C FOLDER))

# A variable that was given to make and is not one of the above is misspelt (those of pip pass). The
# one that is meant has other letters than it by no more than two.
letters := A.a B.b C.c D.d E.e F.f G.g H.h I.i J.j K.k L.l M.m N.n O.o P.p Q.q R.r S.s T.t U.u V.v \
  W.w X.x Y.y Z.z
letters-of = $(foreach l,$(letters),$(if $(strip \
  $(foreach case,$(subst ., ,$(l)),$(findstring $(case),$(1)))),$(l)))
differing = $(words $(filter-out $(1),$(2)) $(filter-out $(2),$(1)))
near = $(firstword $(foreach most,0 1 2,$(foreach v,$(variables),$(if \
  $(filter $(most),$(call differing,$(call letters-of,$(1)),$(call letters-of,$(v)))),$(v)))))
misspelt = $(error there is no variable $(1); $(if \
  $(call near,$(1)),did you mean $(call near,$(1))? )there are: $(variables))
given := $(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $(v))),$(v)))
$(foreach v,$(filter-out $(variables) PIP_%,$(given)),$(call misspelt,$(v)))

# No value that a recipe quotes can end the quotation, or stand for another.
wrong = $(error $(1) is '$(value $(1))'; $(2))
$(foreach v,$(filter-out LAZYBOOK_%,$(variables)),$(foreach sign,$$ ' " ` \,$(if \
  $(findstring $(sign),$(value $(v))),$(call wrong,$(v),it must be without $(sign)))))

digits = $(subst 0,9,$(subst 1,9,$(subst 2,9,$(subst 3,9,$(subst 4,9,$(subst 5,9,$(subst \
  6,9,$(subst 7,9,$(subst 8,9,$(1))))))))))
is-one = $(filter 1,$(words $($(1))))
all-of = $(if $(filter-out $(2),$($(1))),$(call wrong,$(1),choose from: $(2)))
one-of = $(if $(is-one),$(call all-of,$(1),$(2)),$(call wrong,$(1),choose from: $(2)))
is-number = $(and $(is-one),$(filter-out 0%,$($(1))),$(filter $(2),$(call digits,$($(1)))))
number = $(if $(is-number),,$(call wrong,$(1),it must be a whole number from 1 to $(3)))
$(call one-of,PROFILE,smoke quick paper)
$(call one-of,DEVICE,cpu cuda)
$(if $(FRESH),$(call one-of,FRESH,0 1))
$(if $(JOBS),$(call number,JOBS,9 99 999,999))
$(call all-of,ONLY,$(names))
$(call number,PORT,9 99 999 9999 99999,65535)
$(foreach v,VENV PYTHON,$(if $(strip $($(v))),,$(call wrong,$(v),leave it out or name one)))

# With ONLY, pages that were never made are made too: the book has to be whole.
executed = $(wildcard $(1:notebooks/%.py=book/executed/%.ipynb))
unmade = $(foreach path,$(notebooks),$(if $(call executed,$(path)),,$(basename $(notdir $(path)))))
only = $(if $(strip $(ONLY)),$(sort $(ONLY) $(unmade)))
options = --device $(DEVICE) $(if $(JOBS),--jobs $(JOBS)) $(if $(filter 1,$(FRESH)),--fresh)

# The environment is ready if it says so of these very contents, at this very place: one that was
# copied or moved, or whose Python was replaced, is not.
environment := $(if $(filter ~/%,$(firstword $(VENV))),$(subst ~/,$(HOME)/,$(VENV)),$(VENV))
run := '$(environment)/bin'
stamp := '$(environment)/lazybook-is-ready'
facts := { pwd -P; $(run)/python -c 'import sys; print(sys.prefix, sys.version)'; \
  cat pyproject.toml constraints.txt; }
is-ready := $(shell $(facts) 2>/dev/null | cmp -s - $(stamp) && echo yes)
is-recent := 'import sys; sys.exit(sys.version_info < (3, 11))'
has-browser := 'import sys; from lazybook.book import pdf; \
  pdf.browser() or sys.exit("error: there is no browser here; apt-get install chromium")'
# The tool that builds is installed beforehand, so that pip needs no network if nothing is missing.
pip := $(run)/python -m pip install -qq --disable-pip-version-check -c constraints.txt

# Nothing is installed into, or imported from, a place that a user's own settings name.
unexport PYTHONHOME PYTHONPATH PIP_PREFIX PIP_TARGET PIP_USER

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup book pdf test check-notebooks check-pages serve lint bench
.PHONY: trust clean environment

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
	@echo "  LAZYBOOK_RUNS=   folder of the run store"
	@echo "  LAZYBOOK_DATA=   folder of data sets that are already there"
	@echo "  VENV=.venv       folder of the environment, which is made if it is missing"
	@echo "  PYTHON=          what to make it with: the first of these that is Python 3.11 or newer:"
	@echo '                   $(PYTHON)'

setup: environment  ## make the environment, or bring it up to date
	@echo '$(environment) is ready'

book: environment  ## compute the figures and build the book
	@echo "computing the figures, profile $(PROFILE)"
	@$(run)/lazybook figures --profile $(PROFILE) $(options) $(addprefix --only ,$(only))
	@echo "building the pages"
	@mkdir -p build
	@$(run)/jupyter-book build book --all -W -n --keep-going --quiet >build/pages.log
	@$(run)/python -m lazybook.book.checks
	@echo "the book is whole; open _build/html/index.html"

pdf: environment  ## print the built book into one file; needs a browser, such as Chromium
	@[ -d book/executed ] || { echo "error: there are no figures yet; make book" >&2; exit 1; }
	@echo "building one page of all"
	@mkdir -p build
	@$(run)/jupyter-book build book --builder singlehtml -W -n --keep-going --quiet >build/single.log
	@$(run)/python -m lazybook.book.pdf

test: environment  ## run the tests
	@$(run)/python -m pytest -n $(or $(JOBS),auto)

check-notebooks: environment  ## run the smoke notebooks again, compare what they find and print
	@$(run)/lazybook figures --profile smoke --output build/smoke $(if $(JOBS),--jobs $(JOBS))
	@$(run)/python -m tests.expected.findings
	@echo "running them again, with nothing in the run store"
	@runs=$$(mktemp -d) && trap 'rm -rf "$$runs"' EXIT && \
	LAZYBOOK_RUNS="$$runs" $(run)/python -m pytest -p no:cacheprovider \
	  --nbval-lax --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg \
	  $$(find build/smoke -name '*.ipynb' ! -name scorecard.ipynb | sort) build/smoke/scorecard.ipynb

check-pages: environment  ## look at the built book in a browser (Chromium), and play with it
	@[ -f _build/html/index.html ] || { echo "error: there is no book yet; make book" >&2; exit 1; }
	@$(run)/python -c $(has-browser)
	@$(run)/python -m pytest -m browser -n $(or $(JOBS),auto) tests/browser

serve:  ## show the built book in a browser
	@[ -f _build/html/index.html ] || { echo "error: there is no book yet; make book" >&2; exit 1; }
	@[ -x $(run)/python ] || { echo "error: there is no environment; make setup" >&2; exit 1; }
	@$(run)/python -I src/lazybook/book/serve.py $(PORT)

lint: environment  ## check style and formatting
	@$(run)/ruff check .
	@$(run)/ruff format --check .

bench: environment  ## time the engines against plain loops, and against this core's caches
	@$(run)/lazybook bench

trust: environment  ## disturb it in many ways, and publish how often all went well
	@$(run)/python -m tests.trust $(if $(JOBS),--jobs $(JOBS))

clean:  ## remove what was built (not the environment, the data or the run store)
	rm -rf _build build book/executed

ifeq ($(is-ready),)
environment:
	@[ -w . ] && [ -w src ] || \
	  { echo "error: this folder cannot be written to; use a copy of it" >&2; exit 1; }
	@if [ -z "$$(ls -A '$(environment)' 2>/dev/null)" ]; then \
	  for python in '$(PYTHON)' $(foreach python,$(PYTHON),'$(python)'); do \
	    if "$$python" -c $(is-recent) && "$$python" -c 'import ensurepip, venv'; \
	    then found="$$python"; break; fi 2>/dev/null; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "error: Python 3.11 or newer, with venv, is needed, and there is none as:" \
	      '$(PYTHON); say where it is with PYTHON=…' >&2; \
	    exit 1; \
	  fi; \
	  echo "making the environment" '$(environment)' "with $$found"; \
	  trap 'exit 1' HUP INT TERM; \
	  trap "rm -rf '$(environment)'" EXIT; \
	  "$$found" -m venv '$(environment)' || { \
	    echo "error: no environment could be made in '$(environment)', see above" >&2; exit 1; \
	  }; \
	  trap - EXIT; \
	elif ! pip="$$($(run)/python -m pip --version 2>/dev/null)" || \
	  [ "$$pip" != "$$($(run)/pip --version 2>/dev/null)" ]; then \
	  echo "error: '$(environment)' is no environment that works where it is; if it was copied," \
	    "moved or half made, remove it, or else name another folder with VENV=…" >&2; \
	  exit 1; \
	elif ! $(run)/python -c $(is-recent); then \
	  echo "error: the Python of '$(environment)' is too old; 3.11 or newer is needed" >&2; \
	  exit 1; \
	fi
	@echo 'installing into $(environment): about a minute and 2 GB the first time'
	@rm -f $(stamp)
	@$(pip) setuptools && \
	$(pip) --no-build-isolation -e '.[book,browser,cluster,search,sklearn,test,torch]' || { \
	  echo "error: not all could be installed, see above; make setup goes on from there" >&2; exit 1; \
	}
	@$(facts) >$(stamp)
endif
