# Every target sets up .venv where it must, prints its figure as its last line, and exits non-zero when what
# it promises did not happen. The work is done by the console command `sltw`, so that a scheduler without
# make can do all of it too.
#
# Needs: Python 3.11 or newer, make, and a package index. Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
# Test processes. Each file of tests stays in one process, so that a warehouse is built once per file.
JOBS ?= 2
PYTEST_ARGS ?= -n $(JOBS) --dist loadfile --no-loadscope-reorder -m 'not nightly'

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
COMPILE := pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all faults lint format dagster docs coverage export-run publish lock clean close verify-archive close-faults payroll-export verify-payroll-export payroll-faults

help: ## show the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20
	@echo "$$(grep -c '^[a-z-]*:.*## ' $(firstword $(MAKEFILE_LIST))) targets"

# The stamp is written last: an installation that was cut off is simply done again. Bytecode is compiled here, once,
# because a run starts several Python processes and some machines never keep what an import compiles.
$(READY): requirements.lock requirements-bootstrap.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11 or newer, or name another one: make PYTHON=<interpreter>" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), but 3.11 or newer is needed: make PYTHON=<interpreter>" >&2; exit 1; }
	@echo "setting up $(VENV)"
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-bootstrap.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes --requirement requirements.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY) ## set up .venv from the lock files
	@echo "$$(ls -d $(VENV)/lib/python*/site-packages/*.dist-info | wc -l) packages installed in $(VENV)"

demo: $(READY) ## run the whole path on the demonstration company
	@$(BIN)/sltw demo

test: lint ## lint, then every test that does not take minutes of its own
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

test-all: lint ## lint, then every test, whole runs that are killed and repeated among them
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

faults: $(READY) ## extract under random faults from fixed seeds, N=<runs>, and compare with an undisturbed landing
	@$(BIN)/python -m tests.faults --runs $(or $(N),200)

lint: $(READY) ## ruff and sqlfluff, changing nothing
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "ruff format would change the files above: make format" >&2; exit 1; }
	@PYTHONWARNINGS=ignore $(BIN)/sqlfluff lint --processes $(JOBS) --disable-progress-bar --nocolor dbt_project/models dbt_project/tests/singular
	@echo "lint: $$(find dagster_project dbt_project expectations ingestion tests -name '*.py' -o -name '*.sql' | wc -l) Python and SQL files clean"

format: $(READY) ## let ruff and sqlfluff mend what they can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/sqlfluff fix --processes $(JOBS) --disable-progress-bar dbt_project/models dbt_project/tests/singular

dagster: $(READY) ## open the orchestrator with everything loaded
	@$(BIN)/sltw dagster

docs: $(READY) ## write the dbt documentation as one static page
	@$(BIN)/sltw docs

coverage: $(READY) ## write docs/coverage.md from the requirements and what claims them
	@$(BIN)/sltw coverage

export-run: $(READY) ## run the path on an exported ServiceNow event log: FILE=<csv or csv.gz> WAREHOUSE=<path>
	@test -n "$(FILE)" || { echo "FILE is not set: make export-run FILE=<event log, .csv or .csv.gz> WAREHOUSE=<path of the warehouse>" >&2; exit 2; }
	@test -n "$(WAREHOUSE)" || { echo "WAREHOUSE is not set: make export-run FILE=<event log> WAREHOUSE=<path of the warehouse>" >&2; exit 2; }
	@test -r "$(FILE)" || { echo "FILE=$(FILE) cannot be read: name an exported event log, .csv or .csv.gz" >&2; exit 2; }
	@$(BIN)/sltw export-run --file "$(FILE)" --warehouse "$(WAREHOUSE)"

publish: $(READY) ## publish the audience databases again from the warehouse as it stands
	@$(BIN)/sltw publish

close: $(READY) ## close a period for good and archive it: PERIOD=<quarter, such as 2025-Q3>
	@test -n "$(PERIOD)" || { echo "PERIOD is not set: make close PERIOD=<quarter, such as 2025-Q3>" >&2; exit 2; }
	@$(BIN)/sltw close --period "$(PERIOD)"

verify-archive: $(READY) ## hold every byte of the closed periods against their manifests, and compute them anew
	@$(BIN)/sltw verify-archive --recompute

close-faults: $(READY) ## kill N=<runs> closes of the demonstration's warehouse at random moments, each into an archive of its own
	@$(BIN)/python -m tests.faults.close_kills --runs $(or $(N),50)

payroll-export: $(READY) ## write a month's payroll file and journal, once: PAYMENT_PERIOD=<month, such as 2025-04> [COUNTRY=<code>]
	@test -n "$(PAYMENT_PERIOD)" || { echo "PAYMENT_PERIOD is not set: make payroll-export PAYMENT_PERIOD=<month, such as 2025-04>" >&2; exit 2; }
	@$(BIN)/sltw payroll-export --payment-period "$(PAYMENT_PERIOD)" $(if $(COUNTRY),--country "$(COUNTRY)")

verify-payroll-export: $(READY) ## hold every byte of the payroll exports against their manifests
	@$(BIN)/sltw verify-payroll-export

payroll-faults: $(READY) ## kill N=<runs> payroll exports at random moments, each into a folder of its own
	@$(BIN)/python -m tests.faults.payroll_kills --runs $(or $(N),50)

lock: $(READY) ## resolve the dependencies of pyproject.toml anew into requirements.lock
	@$(BIN)/uv $(COMPILE) pyproject.toml --extra dev --output-file requirements.lock
	@sed 's/ *\\$$//; /--hash/d' requirements-bootstrap.lock | $(BIN)/uv $(COMPILE) - --output-file requirements-bootstrap.lock
	@! grep -nE '://|--(extra-)?index-url|^-e|^/' requirements.lock requirements-bootstrap.lock || { echo "a lock file holds an address or a path: see above" >&2; exit 1; }
	@echo "$$(grep -c '^[a-z]' requirements.lock) packages pinned in requirements.lock"

clean: ## remove what was built; the environment and the data stay
	@rm -rf build *.egg-info .pytest_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs logs
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
	@echo "clean: data/ and $(VENV) left in place"
