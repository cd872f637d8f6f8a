#!/bin/bash
# run.sh RUNTIME [HOST...]: real hosts (containerd, podman, docker) with RUNTIME in runc's place, each a daemon
# of its own in private namespaces. Every check prints a line; the last is "hosts: N passed, M failed, K skipped".
# The checks are data beside the repository, as schemas and captured configurations are: HOST_SCRIPTS names
# another place. Without them the answer is SKIP.
set -uo pipefail
cd "$(dirname "$0")/../.."
runtime=$(realpath "$1")
shift
hosts=("$@")
[ ${#hosts[@]} -gt 0 ] || hosts=(containerd podman docker)
scripts=${HOST_SCRIPTS:-../shared/hosts}

if [ ! -x "$scripts/containerd-smoke.sh" ]; then
  echo "SKIP hosts: the checks are not at $scripts (HOST_SCRIPTS)"
  echo "hosts: 0 passed, 0 failed, ${#hosts[@]} skipped"
  exit 0
fi
packaging/install-packages.sh hosts
export SMOKE_DEBIAN=${SMOKE_DEBIAN:-0}  # 1: with an image by debootstrap, which needs a mirror

passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for host in "${hosts[@]}"; do
  timeout --kill-after=10 "${HOST_SECONDS:-900}" "$scripts/$host-smoke.sh" "$runtime" >"$log" 2>&1 </dev/null
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
  grep -E '^(FAIL|SKIP|LIMITED|ABORT)' "$log" | sed "s/^/$host: /"
  if [ -z "$line" ]; then
    tail -n 20 "$log"
    failed=$((failed + 1))
    continue
  fi
  echo "$host: $line"
  read -r good bad limited left <<<"$(sed -E 's/[^0-9]+/ /g' <<<"$line")"
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + limited + left))
done
echo "hosts: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
