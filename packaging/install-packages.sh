#!/bin/sh
# install-packages.sh GROUP...: installs the packages of these groups in debian-packages.txt that are
# missing. Silent when there is nothing to do; needs root only when there is.
set -eu
list=$(dirname "$0")/debian-packages.txt

missing=
for group in "$@"; do
  for package in $(awk -v group="$group" '!/^#/ && $2 == group { print $1 }' "$list"); do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing="$missing $package"
  done
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "install-packages: no apt-get here; install what corresponds to:$missing" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "install-packages: run as root, or install these first:$missing" >&2
  exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
install_them() { apt-get install -y -qq --no-install-recommends $missing </dev/null; }
# The lists of packages may be there and current; fetch them only when that does not do.
install_them >/dev/null 2>&1 || { apt-get update -qq && install_them; }
