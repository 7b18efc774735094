#!/bin/bash
# split-files.sh ROOT OUT: writes OUT/PACKAGE.files for each package of systemd.
#
# The first pattern that fits a path decides; what fits none belongs to the main package. So a file that a new version
# adds is never lost, and files that follow systemd's naming find their package by themselves. Directories that only
# systemd's packages fill belong to the main package.
set -eu
root=$1 out=$2

package_of() {
    case $1 in
        *.pc | /usr/include/* | */libsystemd.so | */libudev.so) echo devel ;;
        */libsystemd.so.0* | */libudev.so.1* | */libnss_myhostname.so.* | */libnss_systemd.so.*) echo libs ;;
        /usr/lib/systemd/boot/efi/*) echo boot-stub ;;
        *networkd* | */networkctl | *network-generator* | *org.freedesktop.network1* | *.network | *.network.example | \
            *.netdev | */systemd-network.conf) echo networkd ;;
        *resolve* | */resolvconf | *systemd-dnssd*) echo resolved ;;
        *udev* | *hwdb* | */modprobe.d/* | */kernel/* | */kernel-install | *bootctl* | *bless-boot* | *systemd-boot-* | \
            *boot-random-seed* | *boot-update* | *gpt-auto* | *repart* | *growfs* | *makefs* | *systemd-fsck* | \
            *systemd-pstore* | *99-default.link) echo udev ;;
        *) echo main ;;
    esac
}

mkdir -p "$out"
out=$(cd "$out" && pwd)
for name in main boot-stub devel libs networkd resolved udev; do : > "$out/$name.files"; done
cd "$root"
find . -mindepth 1 ! -type d | LC_ALL=C sort | while read -r path; do
    path=${path#.}
    mark=
    case $path in
        /etc/*) [ -L ".$path" ] || mark='%config(noreplace) ' ;;
        /usr/share/doc/*) continue ;;
    esac
    printf '%s"%s"\n' "$mark" "$path" >> "$out/$(package_of "$path").files"
done
find ./etc ./usr/lib ./usr/share -mindepth 1 -type d | LC_ALL=C sort | while read -r path; do
    path=${path#.}
    case $path in
        */systemd | */systemd/* | */udev | */udev/* | */kernel | */kernel/* | */*.d | /usr/share/dbus-1 | \
            /usr/share/dbus-1/* | /usr/share/polkit-1* | /usr/share/factory | /usr/share/factory/* | /usr/share/user-tmpfiles.d)
            printf '%%dir "%s"\n' "$path" >> "$out/main.files" ;;
    esac
done
