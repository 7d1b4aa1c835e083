# Everything here needs Python >= 3.11 and make; the first target that runs sets the environment up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test scenarios faults bench check lock catalogs clean

demo: $(READY)
	@exec $(BIN)/notifier demo

# Three at a time: most of a test's time is waiting for something real. pytest exits with 5, a failure, when no test ran.
test: $(READY)
	$(BIN)/pytest -n 3 --dist loadfile

# What owners go through, written anew: read what has changed before you keep it.
scenarios: $(READY)
	$(BIN)/pytest tests/scenarios --write-scenarios

# Every fault at its full size, about twenty minutes; `make test` makes a selection, small. Ends with a table, which is
# kept in build/faults.md; docs/faults.md says how to read it.
faults: $(READY)
	$(BIN)/pytest tests/faults --faults=full -n 3 --dist worksteal

# The service beside its peers and its limits, about twenty minutes on a machine that does nothing else. Ends with a table,
# which is kept in bench/results. One section: make bench SECTIONS=mail; it has an environment of its own.
BENCH := build/bench
bench: $(BENCH)/.ready
	$(BENCH)/bin/python -m bench $(SECTIONS)

$(BENCH)/.ready: bench/requirements.lock pyproject.toml
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r bench/requirements.lock
	$(BENCH)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The environment is exactly its lock file's: versions and hashes, nothing built in isolation.
$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, this is {v[0]}.{v[1]}: make PYTHON=/path/to/python3")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# What the service runs with; the same and all that tests, the demo and whoever changes the code need; and the benchmark's.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock:
	$(COMPILE) --extra tracing pyproject.toml -o requirements.lock
	$(COMPILE) --extra tracing --extra sandbox --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(COMPILE) --extra sandbox -c requirements-dev.lock pyproject.toml bench/requirements.in -o bench/requirements.lock

clean:
	rm -rf $(VENV) .data build

# New strings into every catalog; what translators have done stays. See docs/localization.md.
catalogs: $(READY)
	$(BIN)/notifier catalogs update
