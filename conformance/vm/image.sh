#!/bin/bash
# image.sh GROUP...: makes what run.sh boots, once, from the packages of these groups of debian-packages.txt, and
# prints the directory: root.img (an ext4 of Debian), linux and initrd.img (Debian's kernel, for qemu). What is
# printed before goes to stderr. Needs root, and the packages of the group `vm` on this machine.
#   HULL_VM_CACHE   where the images are kept (/var/cache/hull-vm)
#   HULL_VM_SUITE   the suite of Debian inside (trixie); its C library must not be older than this machine's
#   HULL_VM_MIRROR  the mirror (the one that apt uses here)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
list=$here/../../packaging/debian-packages.txt
suite=${HULL_VM_SUITE:-trixie}
mirror=${HULL_VM_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$')}
image=${HULL_VM_CACHE:-/var/cache/hull-vm}/$(IFS=+; echo "$*")
uml_modules=$(echo /usr/lib/uml/modules/*)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

packages=$(for group in "$@"; do awk -v group="$group" '!/^#/ && $2 == group { print $1 }' "$list"; done | sort -u)
made_from=$( (cat "$0" "$here"/guest/*; echo "$suite $mirror $uml_modules" $packages) | sha256sum)
mkdir -p "$image"
echo "$image"
exec 9>"$image/lock"
flock 9
[ "$(cat "$image/made-from" 2>/dev/null)" != "$made_from" ] || exit 0

echo "making the image of the virtual machine in $image (a few minutes, once)" >&2
work=$(mktemp -d "$image/new.XXXXXX")
trap 'rm -rf "$work"' EXIT
rm -f "$image/made-from"
root=$work/root
chmod 755 "$work"  # apt's own user looks in there

# The kernel's package is unpacked only: its scripts would make an initrd for real hardware.
kernel='apt-get download -qq "$(apt-cache depends linux-image-cloud-amd64 | sed -n "s/.*Depends: \(linux-image-[0-9].*\)/\1/p")"'
mmdebstrap --quiet --mode=root --variant=essential --format=directory --architectures=amd64 \
  --keyring="$keyring" --include="$(echo $packages | tr ' ' ,)" --aptopt='APT::Install-Recommends "false"' \
  --aptopt='APT::Sandbox::User "root"' --dpkgopt=force-unsafe-io \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook="cd '$work' && APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG sh -c '$kernel'" \
  "$suite" "$root" "deb [signed-by=$keyring] $mirror $suite main" >"$image/log" 2>&1 ||
  { tail -n 20 "$image/log" >&2; exit 1; }

dpkg-deb -x "$work"/linux-image-*.deb "$work/kernel"
mv "$work"/kernel/boot/vmlinuz-* "$work/linux"
mkdir -p "$root/usr/lib/modules"
mv "$work"/kernel/usr/lib/modules/* "$root/usr/lib/modules/" 2>/dev/null ||
  mv "$work"/kernel/lib/modules/* "$root/usr/lib/modules/"
[ ! -d "$uml_modules" ] || cp -a "$uml_modules" "$root/usr/lib/modules/"
for version in "$root"/usr/lib/modules/*; do depmod -b "$root/usr" "${version##*/}"; done

# Before the root can be mounted: busybox, and the driver of its disk.
mkdir -p "$work/initrd/bin" "$work/initrd/root" "$work/initrd/dev"
cp /bin/busybox "$work/initrd/bin/"
install -m 755 "$here/guest/initrd-init" "$work/initrd/init"
driver=$(echo "$root"/usr/lib/modules/*-cloud-amd64/kernel/drivers/block/virtio_blk.ko*)
case $driver in
  *.xz) xz -dc "$driver" ;;
  *) cat "$driver" ;;
esac >"$work/initrd/virtio_blk.ko"
(cd "$work/initrd" && find . | busybox cpio -o -H newc) >"$work/initrd.img" 2>/dev/null

# systemd as process 1 with nothing but D-Bus and our unit: no udev (devtmpfs has the nodes), no journal, no login.
units=$root/etc/systemd/system
rm -rf "$root"/usr/lib/systemd/system/*.wants "$root"/usr/lib/systemd/system-generators "$units"/*.wants
find "$root/etc/apparmor.d" -maxdepth 1 -type f -delete  # profiles of programs; the folders hold parts of profiles
install -m 644 "$here"/guest/hull-vm.{service,target} "$units/"
install -m 644 -D "$here/guest/system.conf" "$root/etc/systemd/system.conf.d/hull-vm.conf"
install -m 755 -D "$here/guest/run-command" "$root/usr/local/lib/hull-vm/run-command"
ln -sf hull-vm.target "$units/default.target"
ln -sf /dev/null "$units/systemd-journald.socket"
ln -sf /dev/null "$units/systemd-journald.service"
ln -sf /dev/null "$units/tmp.mount"
echo hull-vm >"$root/etc/hostname"
echo 127.0.0.1 localhost hull-vm >"$root/etc/hosts"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
: >"$root/etc/fstab"
mkdir -p "$root/hull"
chroot "$root" useradd --create-home --uid 1000 tester

truncate -s 4G "$work/root.img"
mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$root" "$work/root.img"
mv "$work/root.img" "$work/linux" "$work/initrd.img" "$image/"
echo "$made_from" >"$image/made-from"
