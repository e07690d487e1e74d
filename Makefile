# The verbs of jstpipe. Each installs and builds what it needs, as far as it is missing.
#   JSTPIPE_LOCAL=DIR   where set-up puts Kafka, MySQL and ruff (default .local)
#   APT_MIRROR, MAVEN_MIRROR, PIP_INDEX   addresses of mirrors to fetch from, see tools/setup --help
#   DB=mariadb|mysql|both   the databases of the integration tests (default both)
#   ARGS="-k name -x"       further arguments of pytest, and of tools/evidence
#   WORKERS=4               integration tests that run at the same time, with servers of their own; 0: one, and no -n
#   PREFIX=/usr/local DESTDIR=   make install: where the programs will be, and what stands before that while packaging
#   TIME=60                 make fuzz: seconds for each parser
#   DEBIAN=12|13 VERB=verb  make fresh: which Debian, and what to run in it; ROOT=DIR keeps it there for the next run
#   KEEP=1                  make demo: stay up afterwards, with documents that go on changing
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
# One build at a time; CMake and Ninja see to the cores.
.NOTPARALLEL:

DB ?= both
ARGS ?=
UNIT_ARGS ?=
KEEP ?=
DEBIAN ?= 13
VERB ?= demo
LIMIT ?= 25m
WORKERS ?= 4
PREFIX ?= /usr/local
DESTDIR ?=
TIME ?= 60
PYTEST := PYTHONDONTWRITEBYTECODE=1 timeout --foreground $(LIMIT) /usr/bin/python3 -m pytest
INTEGRATION := $(PYTEST) tests/integration --db $(DB) -n $(WORKERS)

.PHONY: help setup setup-build setup-run setup-test setup-bench setup-lint build dev asan test unit integration test-asan \
	evidence test-compose lint fmt demo run bench install fuzz coverage tags hooks fresh setup-fuzz setup-tags clean

help: ## show these verbs
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1 \2/p' Makefile | \
		while read -r verb effect; do printf '  make %-13s %s\n' "$$verb" "$$effect"; done

setup: ## install everything that is missing (root or sudo); a second run fetches nothing
	@tools/setup

setup-build:
	@tools/setup build

setup-run:
	@tools/setup build run

setup-test:
	@tools/setup build run $(if $(filter mariadb,$(DB)),,mysql)

setup-fuzz:
	@tools/setup build fuzz

setup-tags:
	@tools/setup tags

setup-bench:
	@tools/setup build run mysql bench

setup-lint:
	@tools/setup build lint

build: setup-build ## build the programs, optimised and hardened: build/release/bin
	@tools/build release

dev: setup-build ## build the programs and the unit tests with warnings as errors: build/dev
	@tools/build dev

asan: setup-build ## build with the address and undefined-behaviour sanitizers: build/asan
	@tools/build asan

test: setup-test unit integration ## set up, build, unit tests, integration tests on MariaDB and MySQL

unit: setup-run dev ## unit tests of the programs and of the sandbox; no server runs
	@tools/unit dev
	@tests/lint/docs_drift --self-test && tests/lint/docs_drift
	@tests/lint/docs_twins --self-test && tests/lint/docs_twins
	@$(PYTEST) -q tests/unit $(UNIT_ARGS)

integration: setup-test dev ## integration tests: DB=mariadb|mysql|both, ARGS="-k name"
	@$(INTEGRATION) --build dev $(ARGS)

test-asan: setup-test asan ## unit and integration tests with the sanitizers
	@ASAN_OPTIONS=detect_leaks=1 tools/unit asan
	@$(INTEGRATION) --build asan $(ARGS)

evidence: setup-test setup-fuzz dev asan build ## everything at its full length, in under two hours, with a log in bench/evidence
	@tools/evidence $(ARGS)

test-compose: setup-run ## build, run, scale and take down the compose stack with the Docker engine at hand
	@tests/compose/run

lint: setup-lint ## formatter, clang-tidy, cppcheck, shellcheck, ruff, and the project's own rules
	@cmake --preset dev >/dev/null
	@tests/lint/run

.PHONY: rooms
rooms: ## print the rooms, what each includes, and whether files include one another in a circle
	@tools/rooms

fmt: setup-lint ## format the C and Python sources in place
	@git ls-files -z -- '*.c' '*.h' | xargs -0 -r clang-format -i
	@"$${JSTPIPE_LOCAL:-.local}/venv/bin/ruff" format --quiet .

.PHONY: docs
docs: dev ## print the option and metric pages of docs/ again, after a change of their tables
	@for page in options metrics; do \
		build/dev/bin/jstctl docs $$page --lang en >docs/$$page.md; \
		build/dev/bin/jstctl docs $$page --lang zh >docs/$$page.zh-CN.md; \
	done

demo: setup-run build ## 20,000 documents from a sandbox API to a private database, checked; KEEP=1 stays up
	@KEEP=$(KEEP) tools/demo

bench: setup-bench build ## measure against peers and floors; ARGS="--quick", "--only loader --contestants ours,go", "--write"
	@/usr/bin/python3 bench/run $(ARGS)

run: setup-run build ## the demo, staying up until Ctrl-C; ARGS="--documents 1000"
	@tools/demo --keep $(ARGS)

install: ## after make build: put the programs, examples and documents below PREFIX; DESTDIR goes before it
	@test -x build/release/bin/extractor || { echo "there is nothing to install: run 'make build' first" >&2; exit 1; }
	@DESTDIR='$(DESTDIR)' cmake --install build/release --prefix '$(PREFIX)' --strip

fuzz: setup-fuzz ## libFuzzer over the pure parsers, TIME seconds each
	@tests/fuzz/run $(TIME)

coverage: setup-build ## what the unit tests run, a row for each room; ARGS=--files: for each file
	@tools/build coverage
	@find build/coverage -name '*.gcda' -delete
	@ctest --preset coverage --output-log build/coverage/ctest.log >/dev/null || { tail -n 40 build/coverage/ctest.log; exit 1; }
	@tools/coverage $(ARGS)

tags: setup-tags ## an index of the C sources for editors
	@git ls-files -- '*.c' '*.h' | ctags --languages=C -L - -f tags

hooks: ## check format and rules before each commit; git blame looks past commits that only moved or formatted
	@git config core.hooksPath tools/hooks
	@git config blame.ignoreRevsFile .git-blame-ignore-revs

fresh: ## run VERB in a fresh minimal Debian of its own, as root: DEBIAN=12|13 VERB="demo"
	@tools/setup fresh
	@tools/fresh $(DEBIAN) $(VERB)

clean: ## remove the builds; what set-up fetched stays (rm -r .local removes that too)
	rm -rf build
