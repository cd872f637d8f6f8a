#!/bin/bash
# run-tests.sh: what `make test` does, from a clean checkout to the one line that counts:
#   N passed, M failed, K skipped
# Exit status 1 when anything failed. Steps: packages, release build, format, unit tests, container tests,
# conformance cases, attacks, faults, real hosts, the library from outside, tests in a virtual machine, the second
# compiler with sanitizers: unit tests and fuzz targets. STEPS="format unit" runs only these (format unit container
# conformance attacks faults hosts library tsan vm asan fuzz; only when they are named: tidy, clang-tidy; vm-all,
# `make test-vm`). HULL names another runtime for the container tests. FUZZ_SECONDS (100) is shared by all fuzz
# targets; 420 gives each a minute.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0 failed=0 skipped=0
logs=$(mktemp -d /tmp/hull-tests.XXXXXX)
trap 'rm -rf "$logs"' EXIT

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

wanted() { [ -z "${STEPS:-}" ] || [[ " $STEPS " == *" $1 "* ]]; }

# step TITLE COMMAND...: one check; its output is shown when it fails.
step() {
  local title=$1 log started=$SECONDS
  shift
  log=$logs/step
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $title ($((SECONDS - started)) s)"
  else
    failed=$((failed + 1))
    tail -n 200 "$log"
    echo "FAILED  $title ($((SECONDS - started)) s)"
    return 1
  fi
}

# need TITLE COMMAND...: what the steps after it can't do without.
need() {
  step "$@" || finish
  passed=$((passed - 1))  # no test
}

# catch_tests TITLE COMMAND...: a Catch2 executable; its own test cases are counted. A skipped one says so
# in a line "SKIP name: reason".
catch_tests() {
  local title=$1 log=$logs/catch status good bad skips started=$SECONDS
  shift
  timeout --kill-after=10 "${limit:-600}" "$@" >"$log" 2>&1 </dev/null
  status=$?
  sed -i 's/\x1b\[[0-9;]*m//g; s/\r$//' "$log"  # a virtual machine's output is a terminal
  # "All tests passed (9 assertions in 3 test cases)" or "test cases: 3 | 2 passed | 1 failed"
  good=$(sed -nE 's/^All tests passed .* in ([0-9]+) test cases?\)$/\1/p; s/^test cases:.*[^0-9]([0-9]+) passed.*/\1/p' "$log" | tail -n 1)
  bad=$(sed -nE 's/^test cases:.*[^0-9]([0-9]+) failed.*/\1/p' "$log" | tail -n 1)
  good=${good:-0} bad=${bad:-0}
  # The executable crashed, hung or ran nothing.
  if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then bad=1; fi
  skips=$(grep -c '^SKIP ' "$log")
  [ "$skips" -gt "$good" ] && skips=$good
  passed=$((passed + good - skips)) failed=$((failed + bad)) skipped=$((skipped + skips))
  grep '^SKIP ' "$log"
  if [ "$bad" -gt 0 ]; then
    grep -v '^SKIP ' "$log" | tail -n 400
    echo "FAILED  $title: exit status $status, $bad failed ($((SECONDS - started)) s)"
  else
    echo "ok      $title: $good test cases, $skips of them skipped ($((SECONDS - started)) s)"
  fi
}

# conformance_cases TITLE [COMMAND...]: the suite with hull alone, run by COMMAND; every case is counted. A pending
# one counts as skipped.
conformance_cases() {
  local title=$1 log=$logs/conformance line started=$SECONDS
  shift
  timeout --kill-after=10 "${limit:-600}" "$@" build/hull-conformance build/hull >"$log" 2>&1 </dev/null
  line=$(grep -E '^hull: [0-9]+ passed, ' "$log" | tail -n 1)
  if [ -z "$line" ]; then
    failed=$((failed + 1))
    tail -n 50 "$log"
    echo "FAILED  $title: no result ($((SECONDS - started)) s)"
    return
  fi
  local good bad skips later
  read -r good bad skips later <<<"$(sed -E 's/[^0-9]+/ /g' <<<"$line")"
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skips + later))
  [ "$bad" -eq 0 ] || head -n 200 "$log"
  [ "$bad" -eq 0 ] && echo "ok      $title: ${line#hull: } ($((SECONDS - started)) s)" ||
    echo "FAILED  $title: ${line#hull: } ($((SECONDS - started)) s)"
}

# vm_there MACHINE: whether a virtual machine boots here. Else the reason why not is in a line "SKIP ...", and counts.
vm_there() {
  local log=$logs/vm
  if packaging/install-packages.sh vm >"$log" 2>&1 && HULL_VM_SECONDS=120 timeout 900 conformance/vm/in-vm.sh "$1" true >>"$log" 2>&1; then
    return 0
  fi
  skipped=$((skipped + 1))
  echo "SKIP virtual machine ($1): $(tail -n 1 "$log")"
  return 1
}

# vm_containers MACHINE FILTERS SYSTEMD_FILTERS: container tests with cgroup v2, AppArmor and every capability, and
# with systemd as manager of the cgroups.
vm_containers() {
  export HULL_VM_SECONDS=$((limit - 20))
  catch_tests "container tests, cgroup v2 ($1)" \
    conformance/vm/in-vm.sh "$1" build/hull-container-tests -# "$2"
  HULL_CGROUPS=systemd catch_tests "container tests, cgroups by systemd ($1)" \
    conformance/vm/in-vm.sh "$1" build/hull-container-tests -# "$3"
}

# What `make test` has the time for, two minutes where the machine is idle.
vm_some() {
  vm_there uml || return
  limit=600 vm_containers uml '[#apparmor_test],[#cgroups_test],[#update_test]' '[systemd],[#resources_test]'
}

vm_all() {
  local machine limit=3600 all='~[.]~[slow]'
  for machine in uml qemu; do
    vm_there "$machine" || continue
    vm_containers "$machine" "$all" "$all"
    conformance_cases "conformance, cgroup v2 ($machine)" conformance/vm/in-vm.sh "$machine"
  done
  export HULL_VM_GROUPS="vm-image vm-hosts"
  vm_there uml && step "engines over hull, cgroups by systemd (uml)" conformance/vm/in-vm.sh uml conformance/vm/hosts.sh
}

# hosts HOST...: a real host with hull in runc's place; its checks are counted.
hosts() {
  local log=$logs/hosts line started=$SECONDS good bad skips
  conformance/hosts/run.sh build/hull "$@" >"$log" 2>&1
  line=$(grep -E '^hosts: [0-9]+ passed, ' "$log" | tail -n 1)
  read -r good bad skips <<<"$(sed -E 's/[^0-9]+/ /g' <<<"${line:-0 1 0}")"
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skips))
  grep -E '^SKIP' "$log"
  if [ "$bad" -eq 0 ]; then
    echo "ok      hosts ($*): ${line#hosts: } ($((SECONDS - started)) s)"
  else
    tail -n 100 "$log"
    echo "FAILED  hosts ($*): ${line#hosts: } ($((SECONDS - started)) s)"
  fi
}

# attacks: what has broken container runtimes, with fewer rounds of each race than `make attacks`.
attacks() {
  local log=$logs/attacks line started=$SECONDS
  timeout --kill-after=10 600 build/hull-attacks --rounds "${ATTACK_ROUNDS:-25}" build/hull >"$log" 2>&1 </dev/null
  line=$(grep -E '^hull: [0-9]+ safe, ' "$log" | tail -n 1)
  if [ -z "$line" ]; then
    failed=$((failed + 1))
    tail -n 50 "$log"
    echo "FAILED  attacks: no result ($((SECONDS - started)) s)"
    return
  fi
  local good known bad skips unclear
  read -r good known bad skips unclear <<<"$(sed -E 's/[^0-9]+/ /g' <<<"$line")"
  passed=$((passed + good)) failed=$((failed + bad + unclear)) skipped=$((skipped + skips + known))
  [ $((bad + unclear)) -eq 0 ] || grep -E 'VULNERABLE|unclear' "$log"
  [ $((bad + unclear)) -eq 0 ] && echo "ok      attacks: ${line#hull: } ($((SECONDS - started)) s)" ||
    echo "FAILED  attacks: ${line#hull: } ($((SECONDS - started)) s)"
}

# faults TITLE ARGUMENTS...: injected failures of system calls, and kills; each one is counted.
faults() {
  local title=$1 log=$logs/faults tried found started=$SECONDS
  shift
  timeout --kill-after=10 600 build/hull-faults "$@" build/hull >"$log" 2>&1 </dev/null
  # "errors   1649 injections      0 lies      0 hangs      0 leaks      0 silent", and "kills" alike
  read -r tried found <<<"$(awk '/^(errors|kills) / { tried += $2; found += $4 + $6 + $8 + $10 }
    END { print tried + 0, found + 0 }' "$log")"
  [ "$tried" -gt 0 ] || found=1
  passed=$((passed + tried - found)) failed=$((failed + found))
  if [ "$found" -gt 0 ]; then
    head -n 100 "$log"
    echo "FAILED  $title: $tried tried, $found bad ($((SECONDS - started)) s)"
  else
    echo "ok      $title: $tried tried, none bad ($((SECONDS - started)) s)"
  fi
}

build() {
  cmake --preset "$1" -DHULL_TESTS=ON && cmake --build --preset "$1" "${@:2}"
}

own_files() { find cmd libruntime specconv bundles conformance -name '*.cpp' -o -name '*.h'; }

check_format() { own_files | xargs -r clang-format --dry-run -Werror; }

check_tidy() {
  cmake --preset tidy >"$logs/tidy" || { cat "$logs/tidy"; return 1; }
  own_files | grep '\.cpp$' | shuf --random-source=<(yes) |  # mixed: no worker gets all the slow ones
    xargs -r -P "$(nproc)" -n 8 clang-tidy -p build-tidy --quiet 2>"$logs/tidy-noise" >"$logs/tidy" ||
    { grep -E 'error:|warning:' -A 4 "$logs/tidy" || tail "$logs/tidy" "$logs/tidy-noise"; return 1; }
}

# Every target for its share of the time, from the corpus that is kept.
fuzz() {
  local targets target share corpus
  targets=$(find build-fuzz -maxdepth 1 -name 'fuzz_*' -type f -executable | sort)
  [ -n "$targets" ] || { echo "FAILED  no fuzz target"; failed=$((failed + 1)); return; }
  share=$((${FUZZ_SECONDS:-100} / $(echo "$targets" | wc -l)))
  for target in $targets; do
    corpus=$logs/corpus-${target##*/}
    mkdir -p "$corpus"
    step "${target##*/} for $share s" "$target" -max_total_time="$share" -timeout=10 \
      -rss_limit_mb=2048 -artifact_prefix="$logs/" -print_final_stats=1 -print_funcs=0 \
      "$corpus" $(find conformance/fuzz/corpus -mindepth 1 -maxdepth 1 -name "${target##*/}")
  done
}

need "packages" packaging/install-packages.sh build demo test
need "release build" build release
wanted format && step "format" check_format
wanted unit && catch_tests "unit tests" build/hull-unit-tests
wanted unit && catch_tests "slow unit tests" build/hull-unit-tests '[slow]' && grep 'verdicts compared' "$logs/catch"
wanted container && catch_tests "container tests" build/hull-container-tests
if wanted conformance; then
  conformance_cases "conformance"
  step "conformance: every rule has a case, coverage.md is current" \
    build/hull-conformance --check-coverage conformance/coverage.md
fi
wanted attacks && attacks
if wanted faults && [ -x build/hull-faults ]; then
  faults "kills between the stages" --stages
  faults "failing system calls (one in ${FAULT_SAMPLE:-20}; make faults: all)" --sample "${FAULT_SAMPLE:-20}"
fi
wanted hosts && hosts ${HOSTS:-containerd podman}
wanted library && step "library: the installed package and its examples" packaging/library-test.sh build
if wanted tsan && step "build with ThreadSanitizer" build tsan; then
  step "library: 8 threads, 400 containers under ThreadSanitizer" packaging/library-test.sh build tsan build-tsan
fi
wanted vm && vm_some
[[ " ${STEPS:-} " == *" vm-all "* ]] && vm_all
if wanted asan || wanted fuzz; then
  if step "build with clang and sanitizers" build fuzz; then
    wanted asan && catch_tests "unit tests with sanitizers" build-fuzz/hull-unit-tests "~[slow]"
    wanted fuzz && fuzz
  fi
fi
# Half an hour on two cores: only when it is asked for (make tidy).
[[ " ${STEPS:-} " == *" tidy "* ]] && step "clang-tidy" check_tidy
finish
