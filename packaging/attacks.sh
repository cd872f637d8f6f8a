#!/bin/sh
# attacks.sh [NAME=RUNTIME...]: the attacks with hull, Debian's runc and crun, and more runtimes if given. The table is
# build/attacks.md. Exit status 1 when hull is vulnerable. ROUNDS (500) of each race.
set -eu
cd "$(dirname "$0")/.."
packaging/install-packages.sh build demo test conformance
cmake --preset release -DHULL_TESTS=ON
cmake --build --preset release --target hull hull-attacks hull-attacker
pure=
mountpoint -q /sys/fs/cgroup/unified && pure=--pure-v1  # crun refuses hosts with both hierarchies
# shellcheck disable=SC2086 # none or one word
exec build/hull-attacks $pure --rounds "${ROUNDS:-500}" --markdown build/attacks.md \
  hull=build/hull runc=/usr/sbin/runc crun=/usr/bin/crun "$@"
