# `make` lists what there is.
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help dev test tidy lint format types imports check ci mutants fuzz sbom lock bench reference architecture pictures sdk-calls members accounting example-config catalogue clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sort | awk -F':.*  ## ' '{printf "make %-15s %s\n", $$1, $$2}'

dev: $(BIN)/softix  ## set up for development: environment, editable install, commit hook
	@if [ -d .git ]; then $(BIN)/pre-commit install; fi

$(BIN)/softix: pyproject.toml
	python3 -m venv .venv
	$(BIN)/pip install --quiet --editable '.[test]' pre-commit
	@touch $@

test: $(BIN)/softix  ## all tests; one folder or file: make test ONLY=tests/unit/domain
	$(BIN)/pytest $(ONLY)

tidy: $(BIN)/softix  ## the tests that read the code and the documents
	$(BIN)/pytest tests/tidy

lint: $(BIN)/softix  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(BIN)/softix  ## ruff: mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(BIN)/softix  ## mypy, strict
	$(BIN)/mypy --strict softix_proxy

imports: $(BIN)/softix  ## the floors of the house
	$(BIN)/lint-imports

check: lint types imports test  ## everything, in this checkout

ci:  ## everything, from nothing, in a copy
	.ci/run

mutants: $(BIN)/softix  ## change the code of money fault by fault, and count the faults that no test notices
	$(BIN)/python -m scripts.mutation $(MUTANTS)

fuzz: $(BIN)/softix  ## fuzz every parser, ten minutes each; one: make fuzz FUZZ='--target bill'
	-$(BIN)/pip install --quiet atheris
	$(BIN)/python -m scripts.fuzz $(FUZZ)

sbom: $(BIN)/softix  ## write build/sbom.cdx.json, the bill of materials of what is installed
	$(BIN)/python scripts/make_sbom.py

lock: $(BIN)/softix  ## lock the dependencies to versions and hashes; newer ones: make lock LOCK=--upgrade
	$(BIN)/pip install --quiet uv
	$(BIN)/python scripts/make_lock.py $(LOCK)

bench: $(BIN)/softix  ## measure against a bare pass-through and the peers that are installed
	$(BIN)/python -m bench

reference: $(BIN)/softix  ## make docs/reference/ from the code
	$(BIN)/python scripts/make_reference.py
	$(BIN)/python scripts/make_openapi.py
	$(BIN)/python scripts/make_admin_api.py

architecture: $(BIN)/softix  ## draw the pictures of docs/ARCHITECTURE.md from the code
	$(BIN)/python scripts/make_architecture.py

pictures: $(BIN)/softix  ## draw the pictures of the README and of docs/, pages of the portal among them; needs chromium
	$(BIN)/python scripts/make_pictures.py

sdk-calls: $(BIN)/softix  ## read again what the providers' SDKs can call
	$(BIN)/python scripts/make_sdk_calls.py

members: $(BIN)/softix  ## list what the providers' SDKs can send and no table of members has
	$(BIN)/python scripts/check_members.py

accounting: $(BIN)/softix  ## run what docs/accounting.md shows again; needs hledger
	$(BIN)/python scripts/make_accounting.py

example-config: $(BIN)/softix  ## make config.example.toml from the settings
	$(BIN)/softix config example > config.example.toml

catalogue: $(BIN)/softix  ## make the shipped price catalogue, and compare it with LiteLLM's list
	$(BIN)/pip install --quiet 'genai-prices>=0.2,<0.3'
	$(BIN)/pip download --quiet --no-deps --only-binary :all: --dest build/litellm litellm
	$(BIN)/python scripts/make_catalogue.py --litellm build/litellm/litellm-*.whl
	$(BIN)/python scripts/check_catalogue.py --litellm build/litellm/litellm-*.whl

clean:  ## take away what was made
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
