# `make help` lists what there is. Needs GNU make 3.81+ and Python 3.10+, nothing else.
#
# Everything is installed into .venv from hash-checked lock files; two stamps there make the second run start at once:
#   .venv/.installed      what `serve` needs: the package (editable) and its dependencies
#   .venv/.installed-dev  the tools of `test`, `lint` and the others on top of that

VENV := .venv
BIN  := $(VENV)/bin
ARGS ?=
UV_VERSION := 0.13.9

# The first of these that is new enough and can make virtual environments is used; `make PYTHON=/path/to/python3` overrides.
PYTHON  ?=
PYTHONS := $(if $(strip $(PYTHON)),$(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python3.10 python)

# The tests start hundreds of processes. With this variable in the shell's environment each would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

# $(call step,what it does,command): one line; the command's output only when it fails, then all of it.
define step
	@echo "$(1)"; \
	if ! out=$$( { $(2) ; } 2>&1 ); then \
	  printf '%s\n' "$$out" >&2; echo "Failed: $(1)" >&2; exit 1; \
	fi
endef

.DEFAULT_GOAL := help
.PHONY: help serve test slow coverage lint types layers specs docs bench lock clean uv

help: ## Show this list
	@echo "usage: make TARGET [ARGS=\"...\"]"; echo
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

serve: $(VENV)/.installed ## Run the sandbox with the demo data (ARGS="--port 9000")
	@exec $(BIN)/patchworks-sandbox serve $(ARGS)

test: $(VENV)/.installed-dev ## Run the tests, without those of tests/slow (ARGS="-k token": a part of them)
	@$(BIN)/python -m pytest $(or $(strip $(ARGS)),-n auto --dist worksteal)

slow: $(VENV)/.installed-dev ## Run the tests of tests/slow
	@$(BIN)/python -m pytest -n auto --dist worksteal tests/slow

coverage: $(VENV)/.installed-dev ## Run all tests but the browser's, and measure the share of the code that they cover
	@rm -rf .coverage; \
	$(BIN)/python -m coverage run -m pytest -n auto --dist worksteal -m "not browser" tests examples; result=$$?; \
	$(BIN)/python -m coverage combine --quiet && \
	$(BIN)/python -m coverage report || { test $$result -ne 0 || result=2; }; \
	exit $$result

lint: $(VENV)/.installed-dev ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## Check types
	@$(BIN)/python -m mypy

layers: $(VENV)/.installed-dev ## Check that imports point one way
	@$(BIN)/lint-imports --no-logo

specs: $(VENV)/.installed-dev ## Write the OpenAPI documents and the generated pages anew
	@$(BIN)/patchworks-sandbox openapi --output .
	@$(BIN)/python -m docs._site.write_pages
	@$(BIN)/python -m tests.state.seed.seed_schema
	@$(BIN)/python -m tests.journal.assertions.failing_assertions

docs: $(VENV)-docs/.installed ## Build the documentation site into site/
	@NO_MKDOCS_2_WARNING=1 $(VENV)-docs/bin/python -m mkdocs build --strict $(ARGS)
	@echo "site/index.html"

bench: $(VENV)/.installed-dev ## Measure it beside its peers (ARGS="--quick", ARGS="--only start memory")
	@$(BIN)/python -m benchmarks $(ARGS)

lock: uv ## Write the lock files anew (ARGS=--upgrade for the newest releases)
	$(call step,Resolving what the package needs,$(call resolve,requirements.lock,pyproject.toml))
	$(call step,Resolving what its build needs,$(call resolve,requirements-build.lock,--group pyproject.toml:build))
	$(call step,Resolving what development needs,$(call resolve,requirements-dev.lock,pyproject.toml --group pyproject.toml:dev -c requirements.lock -c requirements-build.lock))
	$(call step,Resolving what the documentation needs,$(call resolve,.ci/requirements-docs.lock,pyproject.toml --group pyproject.toml:docs --group pyproject.toml:build -c requirements.lock -c requirements-build.lock))
	$(call step,Resolving what the further checks need,$(call resolve,.ci/requirements-checks.lock,--group pyproject.toml:checks))
	$(call step,Resolving the lowest releases that are allowed,$(call resolve,$(VENV)-lock/lowest.txt,pyproject.toml --resolution lowest-direct))
	$(call step,Resolving what testing with those needs,$(call resolve,.ci/requirements-lowest.lock,$(VENV)-lock/lowest.txt --group pyproject.toml:test --group pyproject.toml:build))
	$(call step,Resolving what the benchmarks compare with,$(call resolve,benchmarks/peers/requirements.txt,benchmarks/peers/requirements.in))
	$(call step,Resolving what generates clients,$(call resolve,.ci/clients/requirements.lock,.ci/clients/requirements.txt,3.11))

clean: ## Remove .venv, caches and reports
	rm -rf $(VENV) $(VENV)-docs $(VENV)-lock .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist site
	find sandbox tests examples benchmarks .ci -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# One lock for every platform and every Python from 3.10 on; the command in its header is ours, without local paths.
resolve = UV_CUSTOM_COMPILE_COMMAND='make lock' $(VENV)-lock/bin/uv pip compile --quiet --universal \
	--python-version $(or $(3),3.10) --generate-hashes --no-emit-index-url --no-emit-find-links $(ARGS) $(2) -o $(1)

# ---- installation

$(VENV)/.installed: pyproject.toml requirements.lock requirements-build.lock | $(BIN)/python
	$(call step,Installing the sandbox's dependencies,$(PIP) install --require-hashes -r requirements.lock)
	$(call step,Installing the sandbox,$(PIP) install --require-hashes -r requirements-build.lock && $(PIP) install --no-deps --no-build-isolation --editable .)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(call step,Installing the development tools (a minute or so the first time),$(PIP) install --require-hashes -r requirements-dev.lock)
	@touch $@

$(VENV)-docs/.installed: .ci/requirements-docs.lock | uv
	$(call step,Installing what builds the documentation,$(VENV)-lock/bin/uv venv --clear --python $(BIN)/python $(VENV)-docs && $(VENV)-lock/bin/uv pip sync --python $(VENV)-docs/bin/python --require-hashes $<)
	@touch $@

# uv resolves the locks and, in CI, fills the environments of the further Pythons.
uv: $(VENV)-lock/.uv-$(UV_VERSION)
	@:

$(VENV)-lock/.uv-$(UV_VERSION): | $(BIN)/python
	$(call step,Installing uv $(UV_VERSION),rm -rf $(VENV)-lock && $(BIN)/python -m venv $(VENV)-lock && $(VENV)-lock/bin/python -m pip --disable-pip-version-check --no-input --quiet install uv==$(UV_VERSION))
	@touch $@

$(BIN)/python:
	@found=; seen=; bare=; \
	for name in $(PYTHONS); do \
	  version=$$("$$name" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue; \
	  seen="$$seen $$name ($$version)"; \
	  "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || continue; \
	  if "$$name" -c 'import ensurepip, venv' 2>/dev/null; then found=$$name; break; fi; \
	  test -n "$$bare" || bare=$$("$$name" -c 'import sys; print("python%d.%d" % sys.version_info[:2])'); \
	done; \
	if [ -z "$$found" ]; then \
	  if [ -n "$$bare" ]; then \
	    echo "$$bare cannot make virtual environments: its module ensurepip or venv is missing." >&2; \
	    echo "Install it (Debian and Ubuntu: sudo apt-get install $$bare-venv) and run make again." >&2; \
	  else \
	    echo "Python 3.10 or newer is needed; found:$${seen:- none}. Tried: $(PYTHONS)." >&2; \
	    echo "Install one (https://www.python.org/downloads/), or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; \
	  fi; \
	  exit 1; \
	fi; \
	echo "Creating $(VENV) with $$("$$found" --version 2>&1)"; \
	if ! out=$$(rm -rf $(VENV) && "$$found" -m venv $(VENV) 2>&1); then \
	  printf '%s\n' "$$out" >&2; rm -rf $(VENV); exit 1; \
	fi
