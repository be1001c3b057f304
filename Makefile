# Everything runs in .venv; `make test` and `make check` set it up first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: soak fuzz model bench-model bench-training setup demo test check format bench bench-azure bench-console bench-storm bench-reconcile lock map screenshots words

setup: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup
	$(BIN)/pacc demo

# Two processes, each with a Kafka and a PostgreSQL of its own; what people see has the machine alone.
test: setup
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not browser"
	$(BIN)/pytest -m browser

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --check --lint dispatch/console/templates
	$(BIN)/python -m deploy.biome ci --error-on-warnings
	$(MAKE) test

# Writes what the formatters of `make check` ask for.
format: setup
	$(BIN)/ruff format .
	$(BIN)/djlint --reformat --quiet --warn dispatch/console/templates
	$(BIN)/python -m deploy.biome check --write

# Kills, stops and starves the system for MINUTES, by SEED; needs Kafka's and PostgreSQL's parts.
MINUTES ?= 2
SEED ?= 7
soak: setup
	$(BIN)/python -m tests.soak --minutes $(MINUTES) --seed $(SEED) $(SOAK)

# Ratios of one run, with a Kafka and a PostgreSQL of its own.
bench: setup
	$(BIN)/python -m bench.speed

# A million mutated records of every format, or as many as SECONDS hold; COUNT and SEED as you like.
fuzz: setup
	$(BIN)/python -m bench.fuzz $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS))

bench-console: setup
	$(BIN)/python -m bench.console

# A storm of RECORDS drains, with the scout and without; STORM="--rate 2000 --only scout".
RECORDS ?= 40000
bench-storm: setup
	$(BIN)/python -m bench.storm $(RECORDS) $(STORM)

# Databases of two sizes: what a look costs does not grow with its alerts.
bench-reconcile: setup
	$(BIN)/python -m bench.reconcile

# What training reaches on public data, with everything chosen on its training part.
bench-azure: setup
	$(BIN)/python -m bench.azure

# Trains the model that comes with the package from an invented fleet alone; some minutes.
model: setup
	$(BIN)/python -m deploy.ship_model

# What the shipped model reaches on a fleet that it has never seen, beside rules and an oracle.
bench-model: setup
	$(BIN)/python -m bench.model

# How long training takes on a million rows, and how much memory.
bench-training: setup
	$(BIN)/python -m bench.training

# Needs uv. The lock carries hashes and no registry's address.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-header --group dev pyproject.toml -o requirements.lock

# The picture of the house, the table of its rooms and that of its classes, from the code.
map: setup
	$(BIN)/python -m deploy.house_map

# The pictures of the documentation, from a running demo.
screenshots: setup
	$(BIN)/python -m deploy.screenshots

# Brings new sentences of the console into its catalogues; what is empty then has to be translated.
words: setup
	mkdir -p .cache
	$(BIN)/pybabel -q extract -F dispatch/console/locale/babel.cfg -k N_ -k Conflict -k NotAllowed -k NotThere -k Unusable --no-location -o .cache/console.pot dispatch
	for one in zh en; do $(BIN)/pybabel -q update --no-fuzzy-matching -i .cache/console.pot -l $$one -o dispatch/console/locale/$$one/LC_MESSAGES/console.po; done
