#!/bin/bash
# library-test.sh BUILD [tsan BUILD_TSAN]: the installed library from outside. Installs it from the build
# directory into a temporary place, builds libruntime/examples as a project of its own (CMake package)
# and one of them by pkg-config, and runs them on a busybox root file system. With a second build
# directory: 8 threads and 400 containers under ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
work=$(mktemp -d /tmp/hull-library.XXXXXX)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/rootfs"/{bin,etc,proc,sys,dev}
cp "$(command -v busybox)" "$work/rootfs/bin/busybox"
for name in sh echo sleep hostname; do ln -s busybox "$work/rootfs/bin/$name"; done
echo root:x:0:0:root:/:/bin/sh >"$work/rootfs/etc/passwd"

if [ "${2:-}" = tsan ]; then
  # ThreadSanitizer maps its memory at fixed places.
  setarch -R "$3/example-many" "$work/rootfs" "$work/state" 8 "${CONTAINERS:-400}"
  exit
fi

DESTDIR= cmake --install "$build" --component library --prefix "$work/prefix" >/dev/null
cmake -S libruntime/examples -B "$work/examples" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/examples" --parallel >/dev/null
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name libruntime.pc)")
read -ra flags <<<"$(pkg-config --cflags --libs libruntime)"
"${CXX:-c++}" libruntime/examples/inspect.cpp "${flags[@]}" -o "$work/inspect"

seen=$("$work/examples/hello" "$work/rootfs" /bin/sh -c 'echo "$(hostname) $$"; exit 7') && status=0 || status=$?
[ "$status $seen" = "7 testing 1" ] || { echo "hello: $status $seen"; exit 1; }
"$work/examples/hello" "$work/rootfs" /not-there 2>"$work/error" && exit 1
grep -q 'executable file not found\|no such file' "$work/error" || { cat "$work/error"; exit 1; }
"$work/examples/many" "$work/rootfs" "$work/state" 4 20
"$work/inspect" "$work/state" nothing 2>"$work/error" && exit 1
grep -q '^kind: container_not_exists$' "$work/error" || { cat "$work/error"; exit 1; }

"$work/examples/hello" "$work/rootfs" /bin/sleep 100 &
for _ in $(seq 100); do
  "$work/inspect" /run/hull-examples hello pause >"$work/out" 2>/dev/null && break
  sleep 0.1
done
grep -q '^status: paused$' "$work/out" && grep -q '^stats: {' "$work/out" || { cat "$work/out"; exit 1; }
"$work/inspect" /run/hull-examples hello resume | grep -q '^status: running$'
"$work/inspect" /run/hull-examples hello 9 >/dev/null
wait $! && exit 1
[ ! -e /run/hull-examples/hello ] || { echo "something is left"; exit 1; }
