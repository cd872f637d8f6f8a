#!/bin/bash
# run.sh MACHINE IMAGE DIRECTORY COMMAND: boots a machine with a copy of DIRECTORY as /hull and the current
# directory, runs COMMAND there as root under systemd with cgroup v2, and passes on what it prints and how it exits.
#   MACHINE    uml: user-mode-linux, starts in seconds and needs no virtualization; one CPU, no cpuset
#              qemu: Debian's kernel, by KVM where the machine has it, else emulated
#   IMAGE      what image.sh printed
#   HULL_VM_SECONDS  the limit for all (600)      HULL_VM_MEMORY  2G      HULL_VM_CONSOLE  a file for the kernel's log
# Exit status 125: the machine did not come up, or died; 124: the time is over.
set -uo pipefail
machine=$1 image=$2 directory=$3 command=$4
limit=${HULL_VM_SECONDS:-600} memory=${HULL_VM_MEMORY:-2G}
work=$(mktemp -d /tmp/hull-vm.XXXXXX)
console=${HULL_VM_CONSOLE:-$work/console}
group=  # the machine's processes
end() {
  [ -z "$group" ] || kill -KILL -- "-$group" 2>/dev/null
  rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

mkdir "$work/share"
cp -a "$directory/." "$work/share/"
printf '%s\n' "$command" >"$work/share/vm-command"
truncate -s "$(($(du -sm "$work/share" | cut -f 1) * 5 / 4 + 64))M" "$work/share.img"
mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$work/share" "$work/share.img" || exit 125
rm -rf "$work/share"
mkfifo "$work/output"

kernel="quiet loglevel=3 panic=-1 systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all"
case $machine in
  uml)
    # Its memory is a file that it maps for execution.
    TMPDIR=/dev/shm setsid linux.uml mem="$memory" ubd0="$work/changes,$image/root.img" ubd1="$work/share.img" \
      root=/dev/ubda rw uml_dir="$work" umid=vm con=null con0=null,fd:9 ssl=null ssl0=null,fd:8 \
      lsm=yama,apparmor $kernel 8>"$work/output" 9>"$console" </dev/null >"$work/errors" 2>&1 &
    ;;
  qemu)
    accelerator=tcg,thread=single cpu=max,-cx16 cpus=1  # qemu 7.2 with threads loses races in the kernel's code patching
    if [ -w /dev/kvm ] && { [ -d /sys/module/kvm_intel ] || [ -d /sys/module/kvm_amd ]; }; then
      accelerator=kvm cpu=host cpus=2
    fi
    TMPDIR=$work setsid qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -accel $accelerator \
      -cpu "$cpu" -smp "$cpus" -m "$memory" -machine q35 -kernel "$image/linux" -initrd "$image/initrd.img" \
      -append "console=ttyS1 rw mitigations=off no_timer_check apparmor=1 security=apparmor audit=0 random.trust_cpu=on $kernel" \
      -drive "file=$image/root.img,format=raw,if=virtio,snapshot=on,cache=unsafe" \
      -drive "file=$work/share.img,format=raw,if=virtio,cache=unsafe" -device virtio-rng-pci \
      -chardev file,id=output,path=/dev/fd/8 -serial chardev:output -serial "file:$console" \
      8>"$work/output" </dev/null >"$work/errors" 2>&1 &
    ;;
  *)
    echo "run.sh: no such machine: $machine" >&2
    exit 125
    ;;
esac
group=$!
disown

# What comes through the serial port, until the line with the exit status. Processes that a user-mode-linux leaves
# behind keep the port open.
status= begun= line=
deadline=$((SECONDS + limit))
exec 7<"$work/output"
while [ "$SECONDS" -lt "$deadline" ]; do
  IFS= read -r -t 1 -u 7 part
  got=$?
  line+=$part
  if [ "$got" -ne 0 ]; then  # 1: the end; above 128: nothing in a second, or a part of a line
    [ "$got" -gt 128 ] && kill -0 "$group" 2>/dev/null && continue
    break
  fi
  case $line in
    "hull-vm: begin") begun=1 ;;
    "hull-vm: exit "*)
      status=${line#hull-vm: exit }
      break
      ;;
    *) printf '%s\n' "$line" ;;
  esac
  line=
done
[ -z "$status" ] || exit "$status"
grep -v ' warning: ' "$work/errors" >&2
tail -n 15 "$console" >&2
[ "$SECONDS" -lt "$deadline" ] || { echo "run.sh: not done within $limit s" >&2; exit 124; }
[ -n "$begun" ] && echo "run.sh: the machine died" >&2 || echo "run.sh: the machine did not come up" >&2
exit 125
