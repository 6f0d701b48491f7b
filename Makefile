# Everything runs in .venv, which these targets create.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test serve lint bench clean

demo: .venv/demo                       ## a sitter speaks, and the film says where it came from
	$(BIN)/vernissage assets fetch face_landmarker.task
	$(BIN)/vernissage keys init --if-missing
	mkdir -p out
	$(BIN)/vernissage animate oil_portrait painting -o out/demo.mp4
	$(BIN)/vernissage verify out/demo.mp4

test: .venv/dev                        ## the whole test suite
	$(BIN)/vernissage assets fetch
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(PYTEST_ARGS)

serve: .venv/demo                      ## verification and the sitters on http://127.0.0.1:8000
	$(BIN)/vernissage keys init --if-missing
	$(BIN)/vernissage serve

lint: .venv/dev                        ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev                       ## every number the README and the model card quote
	$(BIN)/vernissage assets fetch
	$(BIN)/python -m benchmarks.render
	$(BIN)/python -m benchmarks.long
	$(BIN)/python -m benchmarks.governance

clean:
	rm -rf .venv out build *.egg-info

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/demo: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[train,dev]'
	touch $@ .venv/demo
