#!/bin/sh
# conformance.sh [NAME=RUNTIME...]: the conformance suite with hull, Debian's runc and crun, and more runtimes if
# given, side by side. The reports are build/conformance.html, .xml (JUnit) and .md (the README's table). Exit
# status 1 when hull failed a case. crun refuses hosts with both cgroup hierarchies, so all run without v2 there.
set -eu
cd "$(dirname "$0")/.."
packaging/install-packages.sh build demo test conformance
cmake --preset release -DHULL_TESTS=ON
cmake --build --preset release --target hull hull-conformance hull-probe
pure=
mountpoint -q /sys/fs/cgroup/unified && pure=--pure-v1
# shellcheck disable=SC2086 # none or one word
exec build/hull-conformance $pure --html build/conformance.html --junit build/conformance.xml \
  --summary build/conformance.md hull=build/hull runc=/usr/sbin/runc crun=/usr/bin/crun "$@"
