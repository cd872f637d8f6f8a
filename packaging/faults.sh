#!/bin/bash
# faults.sh [NAME=RUNTIME...]: every system call of create, start, run, exec, delete and state fails once with each of
# six errors, and is the last once: hull, Debian's runc and crun, and more runtimes if given. The table is
# build/faults.md. An hour and more; SAMPLE=N: every Nth only. Exit status 1 when anything was found with hull.
set -uo pipefail
cd "$(dirname "$0")/.."
packaging/install-packages.sh build demo test conformance
cmake --preset release -DHULL_TESTS=ON && cmake --build --preset release --target hull hull-faults || exit 2
pure=
mountpoint -q /sys/fs/cgroup/unified && pure=--pure-v1  # crun refuses hosts with both hierarchies
status=0
{
  echo '| | injections | lies | hangs | leaks | silent |'
  echo '|---|---|---|---|---|---|'
} >build/faults.md
for word in hull=build/hull runc=/usr/sbin/runc crun=/usr/bin/crun "$@"; do
  build/hull-faults $pure --sample "${SAMPLE:-1}" "${word#*=}" | tee "build/faults-${word%%=*}.log" ||
    [ "${word%%=*}" != hull ] || status=1
  version=$("${word#*=}" --version | sed -n '1s/ version / /p')
  awk -v version="$version" '/^(errors|kills) / && $2 > 0 {
    printf "| %s, %s | %d | %d | %d | %d | %d |\n", $1, version, $2, $4, $6, $8, $10 }' \
    "build/faults-${word%%=*}.log" >>build/faults.md
done
cat build/faults.md
exit $status
