# Every task of Tackboard by name. `make` alone lists them.

PYTHON ?= python3
BIN := .venv/bin

# Every package is pinned with its hashes and comes as a wheel: nothing is built or resolved at installation.
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps --only-binary :all:
PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
	--custom-compile-command "make requirements"

# What connexion asks for and never runs here (contract/connexion_binding.py), and what only these ask for.
UNUSED_ON_LAMBDA := anyio asgiref attrs certifi charset-normalizer h11 httpcore httpx idna inflection jinja2 jsonschema \
	jsonschema-specifications pycparser python-multipart referencing requests rpds-py urllib3

# The browser that the tests drive; CHROMIUM names another one.
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
export CHROMIUM

# The reverse proxies that the tests put before the server; NGINX and CADDY name others. Debian's nginx is in root's path.
NGINX ?= $(shell command -v nginx || command -v /usr/sbin/nginx)
CADDY ?= $(shell command -v caddy)
export NGINX CADDY
# What builds and runs the image and an empty Debian, and what reads the units of systemd.
MACHINE_PACKAGES := buildah podman runc mmdebstrap iproute2 systemd
MISSING_MACHINE_PACKAGES = $(strip $(foreach package,$(MACHINE_PACKAGES),$(if $(shell PATH=$$PATH:/usr/sbin command -v \
	$(subst iproute2,ip,$(subst systemd,systemd-analyze,$(package)))),,$(package))))
MISSING_PROXIES := $(strip $(if $(NGINX),,nginx-light) $(if $(CADDY),,caddy))

# The linter of the document neither reports nor looks for updates.
export REDOCLY_TELEMETRY := off
export REDOCLY_SUPPRESS_UPDATE_NOTICE := true

# The stage to deploy to, and the Python that compiles the bytecode, which must be the version that Lambda runs.
STAGE ?= dev
LAMBDA_PYTHON ?= $(shell for python in python3.13 $(HOME)/.pyenv/versions/3.13.*/bin/python3.13; do \
	"$$python" --version >/dev/null 2>&1 && echo "$$python" && break; done)

.DEFAULT_GOAL := help
.PHONY: help run readers token sign-in migrate backup restore export import digest purge soak proofs unit test check spec release operation \
	collection clients mock fuzz schemathesis hostile crosscheck mutants decision-mutants matrix package lambda invoke rehearse deploy rollback drift site cdk cdk-proof bench bench-check coldstart \
	latency pictures wheel sbom audit requirements clean browser proxies machines valgrind

help:  ## list all tasks; `cli/tackboard --help` lists the commands for operators
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' Makefile

run: .venv/product  ## start the server on http://127.0.0.1:8080/; the first run prints an address with a token
	@exec $(BIN)/python -m cli run

readers: .venv/product  ## deliver webhooks and run jobs, where another server than `make run` serves wsgi:application
	@exec $(BIN)/python -m cli readers

# Every shell has a variable USER, which is not meant: only one that is set in the command is.
token: .venv/product  ## print a new token of the owner, or of a user who has lost theirs: make token USER=mina
	@exec $(BIN)/python -m cli token $(if $(filter command,$(origin USER)),"$(USER)")

sign-in: .venv/product  ## print a link that signs the owner in once, or another user: make sign-in USER=mina
	@exec $(BIN)/python -m cli sign-in $(if $(filter command,$(origin USER)),"$(USER)")

migrate: .venv/product  ## upgrade the store of an older Tackboard, after a copy or a backup
	@exec $(BIN)/python -m cli migrate

backup: .venv/product  ## copy everything into a dated file in backups/ and keep the last 14; or: make backup FILE=monday.db
	@exec $(BIN)/python -m cli backup $(if $(FILE),"$(FILE)")

restore: .venv/product  ## copy a backup into an empty store: make restore FILE=monday.db STORE_URL=…
	@test -n "$(FILE)" || { echo "Name the file: make restore FILE=monday.db" >&2; exit 1; }
	@exec $(BIN)/python -m cli restore "$(FILE)"

export: .venv/product  ## export a board or its cards to a file: make export BOARD=brd_… FILE=board.json (or cards.csv)
	@test -n "$(BOARD)" -a -n "$(FILE)" || { echo "Name both: make export BOARD=brd_… FILE=board.json" >&2; exit 1; }
	@exec $(BIN)/python -m cli export "$(BOARD)" "$(FILE)"

import: .venv/product  ## create a board from an export of Tackboard or Trello: make import FILE=board.json
	@test -n "$(FILE)" || { echo "Name the file: make import FILE=export.json" >&2; exit 1; }
	@exec $(BIN)/python -m cli import "$(FILE)"

digest: .venv/product  ## print a digest of everything: two stores with the same digest have the same contents
	@exec $(BIN)/python -m cli digest

purge: .venv/product  ## erase what was deleted more than 31 days ago, for example once a day
	@exec $(BIN)/python -m cli purge

unit: .venv/development  ## test the rules, the contract layer and the API on SQLite, in less than a minute
	@exec $(BIN)/python -m pytest -q --numprocesses 2 --dist worksteal -m "not sweep" tests/kanban tests/contract tests/api

# Four processes keep two cores busy: many tests wait for a server or a browser. The longest files come first.
test: .venv/development .venv/deployment .venv/containers node_modules/.package-lock.json browser proxies machines  ## run every test
	@exec $(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

latency: .venv/development node_modules/.package-lock.json browser  ## run the browser tests while each response of the API takes 150 and 600 ms longer
	@for delay in 150 600; do echo "$$delay ms" && LATENCY=$$delay $(BIN)/python -m pytest -q tests/browser || exit 1; done

soak: .venv/development node_modules/.package-lock.json  ## check for over an hour that nothing is lost; SEED=17 begins there
	@SOAK=1 exec $(BIN)/python -m pytest -q tests/soak

proofs: latency soak mutants decision-mutants matrix fuzz crosscheck hostile cdk-proof  ## run all that takes too long for CI, for some hours

mutants: .venv/development  ## mutation testing: list the faults that the tests miss: make mutants SEED=1 COUNT=300
	@exec $(BIN)/python -m tests.mutants --seed $(or $(SEED),1) --count $(or $(COUNT),300)

decision-mutants: .venv/development  ## turn every decision about who may do what round, and list those that no test notices
	@exec $(BIN)/python -m tests.mutants --decisions $(if $(ONLY),--only $(ONLY))

matrix: .venv/development node_modules/.package-lock.json  ## try every operation with every kind of caller, on every engine, and count the outcomes
	@ALL_ENGINES=1 $(BIN)/python -m pytest -q -s tests/api/test_authorization_matrix.py

check: .venv/development node_modules/.package-lock.json  ## check lint, format, types, architecture, names, the document, its bundle and the page
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_style.py
	@$(BIN)/python -m tools.openapi spec --unchanged
	@npm run --silent web

spec: .venv/development node_modules/.package-lock.json  ## bundle the document, lint it, check its examples, compare it with the last release
	@exec $(BIN)/python -m tools.openapi spec

release: .venv/development node_modules/.package-lock.json  ## keep the document's bundle and golden data, which nothing may break from then on, and build the wheel
	@$(BIN)/python -m tools.openapi spec --unchanged
	@$(BIN)/python -m tools.openapi release
	@$(BIN)/python -m tests.golden
	@$(MAKE) --no-print-directory wheel

.PHONY: tag
tag: .venv/product  ## tag the present commit as the release of the document's version, and write its page into dist/
	@exec $(BIN)/python -m tools.release_page

operation: .venv/development  ## print the signature of each handler that the document needs and that is missing
	@exec $(BIN)/python -m tools.openapi.missing_handlers

collection: .venv/development  ## generate a Postman collection from the document
	@exec $(BIN)/python -m tools.openapi.postman_collection

clients: .venv/development  ## generate clients in seven languages, and compile those whose compiler is installed (needs Node and Java)
	@exec $(BIN)/python -m tools.openapi.client_generation

mock: .venv/development  ## serve the document's examples, without a store, on http://127.0.0.1:8080/v1
	@exec $(BIN)/python -m tools.openapi.mock_server

fuzz: .venv/development  ## run schemathesis at full length, on STORE_URL: make fuzz SEED=17 CASES=20000
	@exec $(BIN)/python -m tests.fuzz.long_run --seed $(or $(SEED),1) --cases $(or $(CASES),4000)

schemathesis: .venv/development  ## run schemathesis with its defaults and a token only: make schemathesis SEED=17 EXAMPLES=50
	@SEED=$(or $(SEED),1) EXAMPLES=$(or $(EXAMPLES),50) $(BIN)/python -m pytest -q -s tests/fuzz/test_default_schemathesis.py

hostile: .venv/development  ## measure what hostile bodies cost, compared with valid ones: make hostile ONLY=create_card
	@exec $(BIN)/python -m tests.fuzz.hostile_body_costs $(if $(ONLY),--only $(ONLY))

crosscheck: .venv/development  ## validate the traffic of make fuzz with openapi-core and Prism: make crosscheck SEED=17 CASES=4000
	@exec $(BIN)/python -m tests.fuzz.long_run --crosscheck --seed $(or $(SEED),1) --cases $(or $(CASES),4000)

package: .venv/product node_modules/.package-lock.json  ## build what AWS Lambda runs: .serverless/tackboard.zip
	@test -n "$(LAMBDA_PYTHON)" || { echo "Packaging needs Python 3.13, which Lambda runs, for the bytecode:" \
		"make package LAMBDA_PYTHON=/path/to/python3.13" >&2; exit 1; }
	@LAMBDA_PYTHON="$(LAMBDA_PYTHON)" npx --no-install osls package --stage "$(STAGE)"

lambda: .venv/deployment node_modules/.package-lock.json  ## run the package on http://127.0.0.1:3000/ as Lambda does
	@exec $(BIN)/python -m infrastructure.deployment.local_lambda

invoke: .venv/product  ## send an event of infrastructure/events to make lambda, or to a stage: make invoke EVENT=ready STAGE=dev
	@test -n "$(EVENT)" || { echo "Name an event: make invoke EVENT=$$(ls infrastructure/events/*/*.json | xargs -n1 basename -s .json | paste -sd'|')" >&2; exit 1; }
	@exec $(BIN)/python -m infrastructure.deployment.invoke "$(EVENT)" $(if $(filter command environment,$(origin STAGE)),"$(STAGE)")

rehearse: .venv/deployment node_modules/.package-lock.json  ## deploy, use, update, roll back and remove the stack on an emulator of AWS
	@exec $(BIN)/python -m infrastructure.deployment.rehearse

deploy: .venv/product node_modules/.package-lock.json  ## deploy to AWS: make deploy STAGE=dev; YES=1 asks nothing
	@LAMBDA_PYTHON="$(LAMBDA_PYTHON)" exec $(BIN)/python -m infrastructure.deployment.deploy "$(STAGE)" $(if $(YES),--yes)

rollback: .venv/product node_modules/.package-lock.json  ## go back to a deployment, with its site: make rollback STAGE=prod TIMESTAMP=1795233033731
	@LAMBDA_PYTHON="$(LAMBDA_PYTHON)" exec $(BIN)/python -m infrastructure.deployment.rollback "$(STAGE)" "$(TIMESTAMP)"

site: .venv/product  ## upload the site of a stage that make deploy has not deployed: make site STAGE=prod
	@exec $(BIN)/python -m infrastructure.deployment.site_upload "$(STAGE)"

cdk: .venv/product .venv/cdk node_modules/.package-lock.json  ## write the stack for CDK into .cdk/out: make cdk STAGE=prod
	@LAMBDA_PYTHON="$(LAMBDA_PYTHON)" npx --no-install osls package --stage "$(STAGE)" --package .cdk/package
	@.venv-cdk/bin/python -m infrastructure.cdk.app .cdk/package "$(STAGE)" .cdk/out

cdk-proof: .venv/development .venv/cdk node_modules/.package-lock.json  ## compare what CDK deploys with what osls deploys
	@CDK=1 $(BIN)/python -m pytest -q tests/deployment/test_cdk.py

drift: .venv/product  ## list what was changed by hand in a stage: make drift STAGE=prod
	@exec $(BIN)/python -m infrastructure.deployment.drift "$(STAGE)"

bench: .venv/development .venv/peers .venv/connexion2 valgrind  ## measure a request, compared with other frameworks, and write it into docs/performance.md
	@exec $(BIN)/python -m tools.benchmarks

bench-check: .venv/development node_modules/.package-lock.json valgrind  ## fail if a request or start runs over 3 % more instructions than committed; UPDATE=1 commits, AGAINST=main compares
	@exec $(BIN)/python -m tools.benchmarks.check $(if $(UPDATE),--update) $(if $(REASON),--reason "$(REASON)") \
		$(if $(AGAINST),--against "$(AGAINST)")

coldstart: .venv/development .venv/peers .venv/connexion2 node_modules/.package-lock.json valgrind  ## measure the start of the package, compared with other frameworks with boto3
	@exec $(BIN)/python -m tools.benchmarks.coldstart

pictures: .venv/development browser  ## take the screenshots of docs/pictures again, of a board that is created for them
	@exec $(BIN)/python -m tools.screenshots

wheel: sbom  ## build a wheel that pipx, uvx and pip install, with the lists of `make sbom` beside it: dist/tackboard_server-….whl
	@exec $(BIN)/hatchling build --target wheel

sbom: .venv/development  ## list what is shipped: in CycloneDX in dist/server.cdx.json and dist/lambda.cdx.json, licences in dist/LICENSES.md
	@exec $(BIN)/python -m tools.bill_of_materials

# Not part of `make check`: it needs the internet, and its result changes without a change here.
audit: .venv/development .venv/audit  ## look for known vulnerabilities in every lock file, or say that nothing was checked
	@exec $(BIN)/python -m tools.audit

requirements: .venv/development  ## pin the newest packages that pyproject.toml allows
	@$(PIN) pyproject.toml --extra postgresql --extra aws --extra sign-in --extra tracing --output-file requirements.txt
	@$(PIN) --group dev -c requirements.txt --output-file requirements/dev.txt
	@$(PIN) --group build -c requirements/dev.txt --output-file requirements/build.txt
	@for group in containers deploy clients peers connexion2 audit cdk; do $(PIN) --group $$group --output-file requirements/$$group.txt || exit 1; done
	@$(PIN) --group lambda -c requirements.txt $(addprefix --no-emit-package ,$(UNUSED_ON_LAMBDA)) \
		--output-file requirements/lambda.txt
	@$(PIN) --group documentation --no-deps --output-file requirements/documentation.txt

clean:  ## remove everything that make has created, except databases
	rm -rf .venv .venv-deploy .venv-peers .venv-connexion2 .venv-audit .venv-containers .venv-cdk .cdk .clients .serverless contract/page/.vendor contract/page/vendor dist node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp in .venv is newer than the pins and the environment it was made from, so nothing is installed twice.
.venv/product: requirements.txt .venv/pyvenv.cfg | contract/page/.vendor
	@echo "Installing what Tackboard runs on into .venv." >&2
	@$(INSTALL) -r requirements.txt
	@touch $@

.venv/development: requirements/dev.txt .venv/product
	@echo "Installing the tools for tests and checks into .venv." >&2
	@$(INSTALL) -r requirements/dev.txt
	@touch $@

.venv/deployment: requirements/deploy.txt .venv/product .venv-deploy/pyvenv.cfg
	@echo "Installing the tools for rehearsals into .venv-deploy." >&2
	@.venv-deploy/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps \
		--only-binary :all: -r requirements/deploy.txt
	@touch $@

.venv/cdk: requirements/cdk.txt .venv/product .venv-cdk/pyvenv.cfg
	@echo "Installing CDK into .venv-cdk." >&2
	@.venv-cdk/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps \
		--only-binary :all: -r requirements/cdk.txt
	@touch $@

.venv/peers: requirements/peers.txt .venv/product .venv-peers/pyvenv.cfg
	@echo "Installing other frameworks to measure into .venv-peers." >&2
	@.venv-peers/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps \
		--only-binary :all: -r requirements/peers.txt
	@touch $@

.venv/connexion2: requirements/connexion2.txt .venv/product .venv-connexion2/pyvenv.cfg
	@echo "Installing connexion 2 to measure into .venv-connexion2." >&2
	@.venv-connexion2/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps \
		--only-binary :all: -r requirements/connexion2.txt
	@touch $@

.venv/audit: requirements/audit.txt .venv/product .venv-audit/pyvenv.cfg
	@echo "Installing pip-audit into .venv-audit." >&2
	@.venv-audit/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps \
		--only-binary :all: -r requirements/audit.txt
	@touch $@

.venv/containers: requirements/containers.txt .venv/product .venv-containers/pyvenv.cfg
	@echo "Installing linters of container files into .venv-containers." >&2
	@.venv-containers/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps \
		--only-binary :all: -r requirements/containers.txt
	@touch $@

# Swagger UI and Redoc. They belong to the checkout, so a new environment doesn't need them again.
contract/page/.vendor: requirements/documentation.txt tools/documentation_files.py | .venv/pyvenv.cfg
	@$(BIN)/python -m tools.documentation_files
	@mkdir -p $(@D) && touch $@

OTHER_ENVIRONMENTS := $(addsuffix /pyvenv.cfg,.venv-deploy .venv-peers .venv-connexion2 .venv-audit .venv-containers .venv-cdk)

# An environment is usable as long as its interpreter runs and has the version that the environment was made for, which
# an upgrade of the system may change. So it is checked every time, and is newer only when it is made again.
.venv/pyvenv.cfg $(OTHER_ENVIRONMENTS): always
	@version=$$($(@D)/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); \
	made_for=$$(sed -n 's/^version[a-z_]* *= *\([0-9]*\.[0-9]*\).*/\1/p' $@ 2>/dev/null); \
	if [ ! -e $(@D) ]; then why=", once"; \
	elif [ -z "$$version" ]; then why=" anew: its Python doesn't run any more"; \
	elif [ ! -x $(@D)/bin/pip ] || [ -z "$$made_for" ]; then why=" anew: it was left half made"; \
	elif [ "$$version" != "$$made_for" ]; then why=" anew: its Python was $$made_for, and is $$version now"; \
	else exit 0; fi; \
	$(MAKER) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Tackboard needs Python 3.11 or newer, but $(MAKER) is $$($(MAKER) --version 2>/dev/null || echo missing)." \
			"Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }; \
	echo "Making $(@D)$$why." >&2; \
	rm -rf $(@D); $(MAKER) -m venv $(@D) || { rm -rf $(@D); exit 1; }

# The other environments are made by the Python of the first.
.venv/pyvenv.cfg: MAKER = $(PYTHON)
$(OTHER_ENVIRONMENTS): MAKER = $(BIN)/python
$(OTHER_ENVIRONMENTS): | .venv/pyvenv.cfg

.PHONY: always
always:

node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm >/dev/null || { echo "The tests and the checks of the document need Node 20 or newer, with npm." >&2; exit 1; }
	@echo "Installing the tools for the document and a DynamoDB for the tests into node_modules." >&2
	@npm ci --silent --no-audit --no-fund
	@touch $@

browser:
	@if [ -z "$(CHROMIUM)" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the tests in a browser." >&2; \
		apt-get install -y -qq chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }; \
	elif [ -z "$(CHROMIUM)" ]; then \
		echo "There is no Chromium for the tests in a browser: install it, or name it with CHROMIUM=/path/to/chromium." >&2; \
	fi

# valgrind counts the instructions of the benchmarks.
valgrind:
	@if command -v valgrind >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing valgrind to count instructions." >&2; \
		apt-get install -y -qq valgrind >/dev/null || { apt-get update -qq && apt-get install -y -qq valgrind >/dev/null; }; \
	else echo "There is no valgrind to count instructions: install it." >&2; exit 1; fi

# Debian starts what it installs, but these two are needed only while a test runs.
proxies:
	@if [ -n "$(MISSING_PROXIES)" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing $(MISSING_PROXIES) for the tests behind a proxy." >&2; \
		apt-get install -y -qq $(MISSING_PROXIES) >/dev/null || \
			{ apt-get update -qq && apt-get install -y -qq $(MISSING_PROXIES) >/dev/null; }; \
		systemctl disable --now $(MISSING_PROXIES:nginx-light=nginx) >/dev/null 2>&1 || true; \
	elif [ -n "$(MISSING_PROXIES)" ]; then \
		echo "Missing for the tests behind a proxy: $(MISSING_PROXIES). Install them, or name them with NGINX=/path/to/nginx" \
			"and CADDY=/path/to/caddy." >&2; \
	fi

# None of them starts anything by itself that stays: the services of podman are for others who use it.
machines:
	@if [ -n "$(MISSING_MACHINE_PACKAGES)" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing $(MISSING_MACHINE_PACKAGES) for the tests of the image and of self-hosting." >&2; \
		apt-get install -y -qq --no-install-recommends $(MISSING_MACHINE_PACKAGES) >/dev/null || \
			{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $(MISSING_MACHINE_PACKAGES) >/dev/null; }; \
	elif [ -n "$(MISSING_MACHINE_PACKAGES)" ]; then \
		echo "Missing for the tests of the image and of self-hosting: $(MISSING_MACHINE_PACKAGES). Install them." >&2; \
	fi
