# One command each; only Python 3.11+, make and the package registries are needed.
# Another Python: make test PYTHON=python3.13

PYTHON ?= python3
PY := .venv/bin/python
NODE := $(PY) _build/ossicle_node.py

.PHONY: demo test format gallery bench docs clean environment environment-dev

demo: environment            ## run the reversing example and print its address
	@$(PY) _build/ossicle_page.py
	@$(PY) -m ossicle run examples/reverse_audio.py

test: environment-dev        ## everything: format, lint, types and tests of both halves
	$(PY) -m ruff format --check
	$(PY) -m ruff check
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(PY) -m pyright
	@$(PY) _build/ossicle_page.py --modules
	$(NODE) npm run check
	$(NODE) npm test
	chromium=$$($(PY) _build/chromium.py) && OSSICLE_CHROMIUM="$$chromium" $(PY) -m pytest

format: environment-dev      ## mend format and order of imports
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

gallery: environment-dev     ## pictures of every component in every state, to look at
	@$(PY) _build/ossicle_page.py
	chromium=$$($(PY) _build/chromium.py) && OSSICLE_CHROMIUM="$$chromium" $(PY) tests/browser/gallery.py

bench: environment-dev       ## measure; prints figures, asserts nothing
	@$(PY) _build/ossicle_page.py
	chromium=$$($(PY) _build/chromium.py) && OSSICLE_CHROMIUM="$$chromium" $(PY) -m benchmarks

docs: environment-dev        ## write docs/semantics.md and the tables of tests/semantics from runs
	@$(PY) docs/make_semantics.py

clean:                       ## remove what make and pip made
	rm -rf .venv build dist *.egg-info runtime/frontends/web/static web/node_modules
	rm -rf .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

environment:
	@$(PYTHON) _build/environment.py

environment-dev:
	@$(PYTHON) _build/environment.py dev
