#!/bin/sh
# demo.sh: from a fresh Debian machine to a running container. Builds hull, makes a bundle around a static
# busybox, runs it, and shows the life of a second one step by step.
set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
  echo "demo: run as root (sudo make demo): it makes a container with a network of its own" >&2
  exit 1
fi
packaging/install-packages.sh build demo
make build

work=$(mktemp -d /tmp/hull-demo.XXXXXX)
hull="$PWD/build/hull --root $work/state"
trap '$hull delete --force demo >/dev/null 2>&1 || :; rm -rf "$work"' EXIT

mkdir -p "$work/bundle/rootfs/bin"
cp "$(command -v busybox)" "$work/bundle/rootfs/bin/busybox"
for name in $("$work/bundle/rootfs/bin/busybox" --list); do
  [ "$name" = busybox ] || ln -s busybox "$work/bundle/rootfs/bin/$name"
done
cd "$work/bundle"
$hull spec

# The example runs a shell on a terminal; ours answers a few questions instead.
cat > inside.sh <<'INSIDE'
echo "inside:     pid $$ on $(hostname), as $(id -u):$(id -g)"
echo "processes:  $(ls -d /proc/[0-9]* | wc -l)"
echo "network:    $(ls /sys/class/net | tr '\n' ' ')"
echo "writing /:  $(touch /file 2>&1 || true)"
echo "caps:       $(grep CapEff /proc/self/status)"
INSIDE
cp inside.sh rootfs/inside.sh
sed -i -e 's/"terminal": true/"terminal": false/' -e 's#"sh"#"sh", "/inside.sh"#' config.json

echo
echo "== hull run"
$hull run demo

echo
echo "== create, state, start, exec, kill, delete"
sed -i 's#"/inside.sh"#"-c", "sleep 100"#' config.json
$hull create demo < /dev/null > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
$hull state demo
$hull start demo
$hull exec demo echo "hello from exec"
$hull list
$hull kill demo KILL
$hull delete --force demo
echo "demo: done; build/hull is the program"
