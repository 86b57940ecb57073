# make app: open the app.  make test: run all tests.  Both install what they need and are quick the second time.
# make phone: open the app on your phone; ARGS="--password --allow-changes" passes options.
# make test-fast: the quick tests only: no browser, no training, no whole pages.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.PHONY: app phone test test-fast lint format benchmark screenshots

app: $(INSTALLED)
	$(BIN)/python -m streamlit run asgi.py

phone: $(INSTALLED)
	$(BIN)/python -m sneaker_core phone $(ARGS)

test: $(INSTALLED_DEV)
	$(BIN)/python -m pytest -n auto --durations=20

test-fast: $(INSTALLED_DEV)
	$(BIN)/python -m pytest -n auto -m "not browser and not slow"

lint: $(INSTALLED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(INSTALLED_DEV)
	$(BIN)/python -m benchmarks.identify
	$(BIN)/python -m benchmarks.datasets
	$(BIN)/python -m benchmarks.training

screenshots: $(INSTALLED_DEV)
	$(BIN)/python docs/make_screenshots.py
	$(BIN)/python docs/make_walkthrough.py

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# pip runs again only when a list of requirements is newer than its stamp file.
$(INSTALLED): requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(INSTALLED_DEV): requirements-dev.txt $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
