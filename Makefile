# The menu. Each target does its own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PACKAGES := libssl-dev zlib1g-dev pkg-config
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# Installs those of Debian's packages named in $(1) that are missing. (dpkg-query fails where it does not know one.)
install = missing=$$({ dpkg-query -W -f='$${Package} $${Status}\n' $(1) 2> /dev/null || true; } | awk '/ok installed/ { print $$1 }' \
		| sort | comm -13 - <(printf '%s\n' $(1) | sort)); \
	if [ -n "$$missing" ]; then \
		echo "installing" $$missing; \
		$(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi

.PHONY: help
help: ## Show this menu
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

.PHONY: setup
setup: ## Install OpenSSL's and zlib's headers where they are missing
	@$(call install,$(PACKAGES))

.PHONY: build
build: setup ## Build the library and the CLI for release
	swift build -c release

.PHONY: demo
demo: build ## Seal and open a sample session, and see a changed one refused
	@$$(swift build -c release --show-bin-path)/sealed-cookie demo

# Where make venv puts Python's packages. Without them: "not run", and no failure.
PYTHON := .build/venv/bin/python3
.PHONY: venv
venv: ## Install what Tests/Python and the fuzzing can use beside Debian's packages
	@$(PYTHON) -c 'import cbor2, cryptography, werkzeug' 2> /dev/null || { \
		python3 -m ensurepip --version > /dev/null 2>&1 || { $(call install,python3 python3-venv); }; \
		python3 -m venv .build/venv && $(PYTHON) -m pip install -q --disable-pip-version-check -r Tests/Python/requirements.txt; \
	} || echo "not installed: Tests/Python/requirements.txt"

.PHONY: test
test: setup ## Run every test
	swift test
	@tool="$$(swift build --show-bin-path)/sealed-cookie"; \
	python="$$([ -x $(PYTHON) ] && echo $(PYTHON) || echo python3)"; \
	if command -v "$$python" > /dev/null; then \
		"$$python" Tests/Python/interop.py "$$tool"; \
		"$$python" Tests/Python/worked_example.py --check; \
		"$$python" Tests/Python/make_vectors.py --check; \
		"$$python" Benchmarks/Dictionary/make.py --check; \
		"$$python" Tests/Python/ring_safety.py "$$tool"; \
	else \
		echo "not run: Tests/Python, for want of python3"; \
	fi

.PHONY: browsers
browsers: build ## Hold the limits against Chromium and Firefox, headless (1 minute)
	@$(call install,chromium chromium-driver firefox-esr openssl python3)
	@python3 Tests/Browsers/browsers.py "$$(swift build -c release --show-bin-path)/sealed-cookie"

.PHONY: examples
examples: setup ## Build and test the example applications (5 minutes at first)
	swift test --package-path Examples/hummingbird-login
	swift build --package-path Examples/nio-minimal

.PHONY: web-test
web-test: build ## Three servers behind nginx while their key ring changes (4 minutes)
	@$(call install,nginx wrk python3)
	swift build -c release --package-path Examples/hummingbird-login
	@python3 Tests/Web/web_test.py "$$(swift build -c release --show-bin-path)/sealed-cookie" \
		"$$(swift build -c release --package-path Examples/hummingbird-login --show-bin-path)/hummingbird-login"

.PHONY: rotation
rotation: build ## Check the rotation examples: cron, systemd, Kubernetes
	@$(call install,shellcheck systemd jq python3 python3-yaml)
	@/usr/bin/python3 Examples/rotation/check.py "$$(swift build -c release --show-bin-path)"

.PHONY: lint
lint: ## Check the code's format
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Examples Benchmarks/Sources Fuzz/Sources

.PHONY: vectors
vectors: setup ## Run whole official files of test vectors, where ../shared/vectors has them
	@if [ -d ../shared/vectors ]; then \
		OFFICIAL_VECTORS="$(abspath ../shared/vectors)" swift test --disable-xctest --filter OfficialVectorTests 2>&1 | grep -E ' run|✘|error:|Test run'; \
	else \
		echo "not run: there is no ../shared/vectors"; \
	fi

.PHONY: fuzz
fuzz: setup venv ## Fuzz each TARGET for SECONDS (60)
	@Fuzz/run.sh $(or $(SECONDS),60) $(TARGET)

.PHONY: fuzz-smoke
fuzz-smoke: setup venv ## Fuzz each target for two seconds
	@Fuzz/run.sh 2

.PHONY: fuzz-long
fuzz-long: setup venv ## Fuzz each TARGET for MINUTES (30) or RUNS (50000000), JOBS (2) at a time
	@Fuzz/long.sh $(TARGET)

.PHONY: fuzz-coverage
fuzz-coverage: setup venv ## Show which lines of the library the fuzzing's inputs reach
	@Fuzz/coverage.sh

.PHONY: bench
bench: setup ## Measure against the C calls alone and against other libraries' cookies (10 minutes)
	@$(call install,python3)
	@python3 Benchmarks/Peers/run.py --json Benchmarks/.build/peers.json
	@python3 Benchmarks/chart.py Benchmarks/.build/peers.json b_login > Benchmarks/.build/b_login.svg

.PHONY: instructions
instructions: setup ## Count instructions, ours and the floor's, by callgrind (some minutes)
	@$(call install,valgrind binutils)
	@Benchmarks/instructions.sh

