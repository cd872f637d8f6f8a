# Thin: what a person types. CMakeLists.txt builds, packaging/*.sh do the rest.
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: all build demo test test-slow test-vm test-hosts conformance attacks faults tidy bench install clean
all: build

build:
	packaging/install-packages.sh build
	cmake --preset release -DHULL_TESTS=OFF
	cmake --build --preset release

demo:
	packaging/demo.sh

test:
	packaging/run-tests.sh

# All that can run in virtual machines with cgroup v2, systemd and AppArmor; `make test` has a part of it.
test-vm:
	STEPS=vm-all packaging/run-tests.sh

# The suite with hull and Debian's runc and crun side by side: the report is build/conformance.html.
conformance:
	packaging/conformance.sh $(RUNTIMES)

# A thousand fork bombs and a hundred containers out of memory: some minutes.
test-slow:
	packaging/install-packages.sh build test
	cmake --preset release -DHULL_TESTS=ON
	cmake --build --preset release --target hull hull-container-tests
	build/hull-container-tests '[.slow-fork-bombs],[.][slow]'

# Real containerd, podman and docker with hull in runc's place.
test-hosts: build
	conformance/hosts/run.sh build/hull $(HOSTS)

# What has broken container runtimes, 500 rounds of each race, and every system call failed once: hull, Debian's
# runc and crun, and what RUNTIMES names. Long; the tables are build/attacks.md and build/faults.md.
attacks:
	packaging/attacks.sh $(RUNTIMES)

faults:
	packaging/faults.sh $(RUNTIMES)

tidy:
	STEPS=tidy packaging/run-tests.sh

bench:
	packaging/install-packages.sh build test bench
	cmake --preset release -DHULL_TESTS=ON
	cmake --build --preset release --target hull hull-bench
	build/hull-bench build/hull $(BENCH_ARGS)

install:
	@test -x build/hull || $(MAKE) build
	DESTDIR='$(DESTDIR)' cmake --install build --strip --prefix '$(PREFIX)'

clean:
	rm -rf build build-debug build-asan build-fuzz build-tidy
