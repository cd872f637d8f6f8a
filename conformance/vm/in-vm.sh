#!/bin/bash
# in-vm.sh MACHINE COMMAND...: runs a command of this project in a virtual machine (see run.sh) with what is built,
# at the same paths as here: in-vm.sh uml build/hull-container-tests '[systemd]'
#   HULL_VM_GROUPS   groups of debian-packages.txt that the machine has (vm-image)
set -euo pipefail
cd "$(dirname "$0")/../.."
machine=$1
shift

share=$(mktemp -d /tmp/hull-vm-share.XXXXXX)
trap 'rm -rf "$share"' EXIT
mkdir -p "$share/build" "$share/conformance"
for program in hull hull-docs hull-container-tests hull-conformance hull-probe; do
  [ ! -x "build/$program" ] || strip -o "$share/build/$program" "build/$program"
done
cp -r conformance/{cases,profiles,vm,coverage.md} "$share/conformance/"
# shellcheck disable=SC2086 # words
image=$(conformance/vm/image.sh ${HULL_VM_GROUPS:-vm-image}) || exit 125
here=$(pwd)
environment=$(env | grep -E '^(HULL|SMOKE)_[A-Z_]*=' | grep -v '^HULL_VM_' || true)
status=0
conformance/vm/run.sh "$machine" "$image" "$share" "
  mkdir -p '$(dirname "$here")' && ln -sfn /hull '$here' && cd '$here' &&
  env ${environment:+$(printf '%q ' $environment)} $(printf '%q ' "$@")" || status=$?
exit "$status"
