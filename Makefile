# Each target is the only command that a fresh machine needs, beside Python 3.11 or newer and make:
#   make demo       train, convert, save, load and fine-tune on handwritten digits (examples/digits.py)
#   make test       the tests, without the slow ones;  make test-all runs them all;  ARGS="-k amp" adds to pytest's
#   make test-interop  export and import, with the packages that only they need
#   make fuzz       random programs, converted against eager;  ARGS="--programs 5000 --minutes 60 --seed 7"
#   make bench      step times beside hand-written JAX, and what conversion, convolutions, sorts cost (benchmarks/)
#   make lint       ruff and mypy
# PYTHON=python3.13 chooses the interpreter; each interpreter that is named has an environment of its own.

choose := for p in python3 python3.13 python3.12 python3.11 python; do \
  $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done
ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell $(choose))
VENV ?= .venv
else
VENV ?= .venv-$(notdir $(PYTHON))
endif

BIN := $(VENV)/bin
READY := $(VENV)/.ready
TYPED := $(VENV)/typed
ARGS ?=

.PHONY: demo test test-all test-interop fuzz bench lint clean

demo: $(READY)
	$(BIN)/python examples/digits.py $(ARGS)

test: $(READY)
	$(BIN)/pytest -q -m "not slow" $(ARGS)

test-all: $(READY)
	$(BIN)/pytest -q $(ARGS)

# Export, import and serving, checked by the other frameworks and the protocol's public client.
test-interop: $(READY)
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[interop,serve,serve-test]"
	$(BIN)/pytest -q tests/interop tests/io/test_paddle_models.py tests/kayax/test_serve.py $(ARGS)

fuzz: $(READY)
	$(BIN)/python tests/conversion/test_random_programs.py $(ARGS)

bench: $(READY)
	$(BIN)/python benchmarks/train_step.py $(ARGS)
	$(BIN)/python benchmarks/conversion.py
	$(BIN)/python benchmarks/convolutions.py
	$(BIN)/python benchmarks/sorting.py

# mypy finds packages by folder, and the rooms lie beside kayax/: show it the tree as an install lays it out.
lint: $(READY)
	$(BIN)/ruff check .
	rm -rf $(TYPED) && mkdir -p $(TYPED)/kayax
	ln -s $(CURDIR)/kayax/* $(addprefix $(CURDIR)/,spec bridge layers io) $(TYPED)/kayax/
	cd $(TYPED) && ../bin/mypy --config-file $(CURDIR)/pyproject.toml --cache-dir ../mypy_cache -p kayax

$(READY): pyproject.toml setup.py constraints.txt
	@test -n "$(PYTHON)" || { echo "Kayax needs Python 3.11 or newer with venv; name one: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Kayax needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[test,examples,bench,dev,serve]"
	touch $@

clean:
	rm -rf .venv .venv-* build dist *.egg-info
