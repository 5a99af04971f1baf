# Every target sets up what it needs. `make demo` and `make test` are all a newcomer has to know.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CODE   := ghapp jobs policies tests

# Trust what the machine trusts: behind a company's proxy that is not what an installer carries.
export UV_SYSTEM_CERTS ?= true

.PHONY: setup demo test lint type format bench conformance lock clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements/setup.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "ghapp needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@command -v git >/dev/null || { echo "ghapp needs git; install it and try again"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing pinned packages into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/setup.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	@$(BIN)/ghapp demo $(ARGS)

test: setup
	$(BIN)/pytest -n auto $(ARGS)

lint: setup
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

type: setup
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

bench: setup
	@for file in tests/benchmarks/bench_*.py; do echo; echo "== $$file"; $(BIN)/python $$file || exit 1; done

# The agent's conformance list; on a real API server when KUBECONFIG or KUBEBUILDER_ASSETS is set.
conformance: setup
	$(BIN)/pytest tests/agent -m conformance -n auto $(ARGS)

# Resolve the newest allowed versions anew, with hashes and without any index's address.
lock: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade --all-extras --group dev pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--upgrade requirements/setup.in -o requirements/setup.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist
