#!/bin/bash
# hosts.sh [NAME...]: inside the virtual machine, engines over hull with systemd as manager of the cgroups: docker,
# containerd, podman (or those that are named). Each check prints a line; the last one counts.
set -uo pipefail
hull=$(pwd)/build/hull
work=$(mktemp -d)
passed=0 failed=0
daemons=()
trap '[ ${#daemons[@]} -eq 0 ] || kill "${daemons[@]}"' EXIT

# check NAME SCRIPT: whether SCRIPT (bash) succeeds; what it prints is shown when it doesn't.
check() {
  local log
  if log=$(set -e; eval "$2" 2>&1); then
    passed=$((passed + 1))
    echo "ok      $engine: $1"
  else
    failed=$((failed + 1))
    echo "FAILED  $engine: $1"
    printf '%s\n' "$2" "$log" | tail -n 20 | sed 's/^/    /'
    return 1
  fi
}
is() { [ "$1" = "$2" ] || { echo "is: $1"; echo "want: $2"; return 1; }; }
has() { [[ $1 == *"$2"* ]] || { echo "is: $1"; echo "want: $2"; return 1; }; }
eventually() { for _ in $(seq 600); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; "$@"; }
gone() { ! systemctl is-active --quiet "$1" && [ -z "$(find /sys/fs/cgroup -name "$1")" ]; }
property() { systemctl show --value -p "$2" "$1"; }
cgroup_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }
file() { cat "/sys/fs/cgroup$(cgroup_of "$1")/$2"; }

root_file_system() {
  mkdir -p "$work/root"/{bin,dev,etc,proc,sys,tmp}
  for name in $(busybox --list); do ln -sf busybox "$work/root/bin/$name"; done
  cp --remove-destination /bin/busybox "$work/root/bin/busybox"
  echo root:x:0:0::/:/bin/sh >"$work/root/etc/passwd"
  tar -C "$work/root" -cf "$work/root.tar" .
}

# Checks that are the same words for Docker and Podman. $1: the unit of a container's ID.
common_checks() {
  check "run prints, and its exit status is the container's" '
    is "$(run --rm box echo hello)" hello
    code=0; run --rm box sh -c "exit 7" || code=$?; is $code 7'
  check "a program that is not there is 127, one that is no program 126" '
    code=0; run --rm box /no/such || code=$?; is $code 127
    code=0; run --rm box /etc/passwd || code=$?; is $code 126'
  check "a container is in a scope of its own" '
    id=$(run -d --memory 64m --memory-reservation 32m --cpus 0.5 --pids-limit 50 --cap-add MKNOD --name one box sleep 1000)
    has "$(cgroup_of "$(pid one)")" "/$(unit "$id")"
    is "$(property "$(unit "$id")" ActiveState)" active'
  check "the limits are those that were asked for, in the files and in the unit" '
    id=$($engine inspect --format "{{.Id}}" one)
    unit=$(unit "$id") pid=$(pid one)
    is "$(cat "/sys/fs/cgroup${slice_path}$unit/memory.max")" 67108864
    is "$(cat "/sys/fs/cgroup${slice_path}$unit/memory.low")" 33554432
    is "$(cat "/sys/fs/cgroup${slice_path}$unit/cpu.max")" "50000 100000"
    is "$(cat "/sys/fs/cgroup${slice_path}$unit/pids.max")" 50
    is "$(property "$unit" MemoryMax)" 67108864
    is "$(property "$unit" TasksMax)" 50
    is "$(property "$unit" CPUQuotaPerSecUSec)" 500ms'
  check "a daemon-reload changes no file" '
    id=$($engine inspect --format "{{.Id}}" one)
    directory="/sys/fs/cgroup${slice_path}$(unit "$id")"
    limits() { (cd "$directory" && grep -H . memory.{max,min,low,high,swap.max} cpu.{max,weight} pids.max); }
    before=$(limits)
    systemctl daemon-reload
    is "$(limits)" "$before"
    systemctl set-property --runtime "$(unit "$id")" CPUWeight=100
    is "$(limits)" "$before"
    is "$($engine exec one sh -c "head -c 1 /dev/zero | wc -c; mknod /tmp/m c 1 11; head -c 1 /tmp/m 2>&1 | tail -n 1")" \
"1
head: /tmp/m: Operation not permitted"'
  check "update reaches the files and the unit" '
    $engine update --memory 128m --memory-swap 256m --cpus 0.25 one
    id=$($engine inspect --format "{{.Id}}" one)
    is "$(cat "/sys/fs/cgroup${slice_path}$(unit "$id")/memory.max")" 134217728
    is "$(property "$(unit "$id")" MemoryMax)" 134217728
    is "$(property "$(unit "$id")" CPUQuotaPerSecUSec)" 250ms'
  check "exec runs in the container, with its exit status" '
    is "$($engine exec one cat /proc/1/comm)" sleep
    code=0; $engine exec one sh -c "exit 9" || code=$?; is $code 9
    has "$($engine exec one cat /proc/self/attr/current)" "$confined"'
  check "pause and unpause" '
    $engine pause one
    has "$(file "$(pid one)" cgroup.events)$(cat "/sys/fs/cgroup${slice_path}$(unit "$($engine inspect --format "{{.Id}}" one)")/cgroup.events")" "frozen 1"
    $engine unpause one
    is "$($engine exec one echo thawed)" thawed'
  check "top and stats" '
    has "$($engine top one)" "sleep 1000"
    has "$($engine stats --no-stream --format "{{.MemUsage}}" one)" "134.2MB" ||
      has "$($engine stats --no-stream --format "{{.MemUsage}}" one)" "128MiB"'
  check "stop, start again, restart" '
    $engine stop -t 1 one
    id=$($engine inspect --format "{{.Id}}" one)
    eventually gone "$(unit "$id")"
    $engine start one
    is "$(property "$(unit "$id")" ActiveState)" active
    is "$(property "$(unit "$id")" MemoryMax)" 134217728
    $engine restart -t 1 one
    is "$($engine exec one echo again)" again'
  check "rm --force leaves no unit" '
    id=$($engine inspect --format "{{.Id}}" one)
    $engine rm -f one
    eventually gone "$(unit "$id")"'
  check "a container that is out of memory is killed" '
    code=0; run --name oom --memory 16m --memory-swap 16m box sh -c "x=\$(dd if=/dev/zero bs=1M count=64 | tr \"\\0\" x)" || code=$?
    is $code 137
    is "$($engine inspect --format "{{.State.OOMKilled}}" oom)" true
    $engine rm oom'
  check "a slice that the user names" '
    id=$(run -d --name sliced --cgroup-parent hullhosts.slice box sleep 1000)
    has "$(cgroup_of "$(pid sliced)")" "/hullhosts.slice/$(unit "$id")"
    $engine rm -f sliced
    eventually gone "$(unit "$id")"'
  check "the cgroup namespace hides the scope, or does not" '
    is "$(run --rm box cat /proc/self/cgroup)" "0::$inner"
    has "$(run --rm --cgroupns host box cat /proc/self/cgroup)" ".scope"'
  check "ten at once" '
    for i in $(seq 10); do run --rm box echo $i >"$work/ten.$i" & jobs[$i]=$!; done
    for i in $(seq 10); do wait ${jobs[$i]}; is "$(cat "$work/ten.$i")" $i; done'
  check "nothing is left" 'is "$(systemctl list-units --all --plain --no-legend --type scope | grep -v init.scope)" ""'
}

# Once, for Docker too: the one that dockerd starts itself has 15 s to come up, which is not enough here.
containerd_socket=/run/hull-containerd.sock
ctr() { command ctr -a "$containerd_socket" "$@"; }
start_containerd() {
  [ ! -S "$containerd_socket" ] || return 0
  cat >"$work/containerd.toml" <<TOML
version = 2
root = "$work/containerd"
state = "/run/hull-containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$containerd_socket"
TOML
  containerd -c "$work/containerd.toml" >"$work/containerd.log" 2>&1 &
  daemons+=($!)
  check "containerd starts" 'eventually ctr version' && return
  tail -n 20 "$work/containerd.log"
  return 1
}

docker_checks() {
  engine=docker slice_path=/system.slice/ confined="docker-default (enforce)" inner=/
  run() { docker run --network none "$@"; }
  unit() { echo "docker-$1.scope"; }
  pid() { docker inspect --format '{{.State.Pid}}' "$1"; }
  start_containerd || return
  dockerd --containerd "$containerd_socket" --exec-opt native.cgroupdriver=systemd --add-runtime "hull=$hull" --default-runtime hull --bridge none \
    --iptables=false --ip6tables=false --data-root "$work/docker" >"$work/dockerd.log" 2>&1 &
  daemons+=($!)
  check "the daemon starts" 'eventually docker version; docker import "$work/root.tar" box' ||
    { tail -n 20 "$work/dockerd.log"; return; }
  check "the driver is systemd" 'is "$(docker info --format "{{.CgroupDriver}} {{.CgroupVersion}} {{.DefaultRuntime}}")" "systemd 2 hull"'
  common_checks
}

podman_checks() {
  engine=podman slice_path=/machine.slice/ confined="(enforce)" inner=/
  podman() { command podman --runtime "$hull" --cgroup-manager systemd --root "$work/podman" --events-backend file "$@"; }
  run() { podman run --network none "$@"; }
  unit() { echo "libpod-$1.scope"; }
  pid() { podman inspect --format '{{.State.Pid}}' "$1"; }
  check "an image" 'podman import "$work/root.tar" box'
  common_checks
  check "a pod is a slice" '
    podman pod create --name pod --infra=false
    id=$(podman run -d --pod pod --name inpod --network none box sleep 1000)
    has "$(cgroup_of "$(pid inpod)")" ".slice/libpod-$id.scope"
    podman pod rm -f pod
    eventually gone "libpod-$id.scope"'
}

containerd_checks() {
  engine=containerd
  start_containerd || return
  # run ID FLAG... -- PROGRAM...
  run() {
    local id=$1
    shift
    ctr run --runc-binary "$hull" --runc-systemd-cgroup --cgroup "system.slice:hosts:$id" --env PATH=/bin --rootfs "$@"
  }
  check "run prints, and its exit status is the container's" '
    is "$(run a --rm "$work/root" a echo hello)" hello
    code=0; run b --rm "$work/root" b sh -c "exit 7" || code=$?; is $code 7'
  check "a container is in a scope of its own, with its limits" '
    run one -d --memory-limit 67108864 --cpus 0.5 "$work/root" one sleep 1000
    pid=$(ctr task ls | sed -n "s/^one *\([0-9]*\) .*/\1/p")
    is "$(cgroup_of "$pid")" /system.slice/hosts-one.scope
    is "$(file "$pid" memory.max)" 67108864
    is "$(property hosts-one.scope MemoryMax)" 67108864
    systemctl daemon-reload
    is "$(file "$pid" memory.max)" 67108864
    is "$(file "$pid" cpu.max)" "50000 100000"'
  check "exec, pause, resume" '
    is "$(ctr task exec --exec-id x one echo inside)" inside
    ctr task pause one
    has "$(ctr task ls)" PAUSED
    ctr task resume one
    is "$(ctr task exec --exec-id y one echo thawed)" thawed'
  check "metrics" 'has "$(ctr task metrics one)" "memory.usage_limit"'
  check "kill and delete leave no unit" '
    ctr task kill -s KILL one
    eventually ctr task delete one
    ctr container delete one
    eventually gone hosts-one.scope'
}

root_file_system
for name in ${*:-docker containerd podman}; do "${name}_checks"; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
