#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# README's two commands as a newcomer runs them: in a bare Debian that debootstrap makes in a folder,
# with python3, git and a clone of the commit that is checked out here, and nothing else. Prints
# minutes, megabytes downloaded and the exit status of each.
#   tests/fresh_machine.sh trixie|bookworm [quickstart|tests|compilers]...   (without: the first two)
# compilers is tests/newest_compilers.sh, for which trixie has GCC 14 and Clang 19.
# The folder build/fresh/CODENAME stays for a look inside; its bare base is kept for the next run.
# Needs root and a machine that is itself a Debian, whose mirror and settings for apt and pip it takes.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
. "$root/cmake/prepare_machine.sh"

codename=${1:-}
shift || true
[ $# -gt 0 ] || set -- quickstart tests
declare -A command_of=([quickstart]=examples/quickstart.sh [tests]=tests/run.sh
  [compilers]=tests/newest_compilers.sh)
for name in "$@"; do
  if [[ ! $codename =~ ^(trixie|bookworm)$ ]] || [ -z "${command_of[$name]:-}" ]; then
    echo "usage: tests/fresh_machine.sh trixie|bookworm [quickstart|tests|compilers]..." >&2
    exit 2
  fi
done

skipped() {
  echo "fresh machine $codename: [skipped] $*"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}
[ "$(id -u)" = 0 ] || skipped "only root may make a Debian in a folder and enter it"
# What is mounted below is seen by this script alone and goes with it, however it ends.
if [ -z "${HOMOLOG_FRESH_NAMESPACE:-}" ]; then
  unshare --mount --pid --fork true 2>/dev/null || skipped "this machine allows no mounts of our own"
  HOMOLOG_FRESH_NAMESPACE=1 exec unshare --mount --pid --fork --mount-proc --kill-child \
    bash "$0" "$codename" "$@"
fi
command -v apt-get >/dev/null || skipped "the mirror is read from apt's sources, and there is no apt"

folder=$build/fresh/$codename
base=$build/fresh/$codename.base

# What a program in the folder sees of the environment: what leads to a registry through a proxy or
# with certificates, and which kernels OpenBLAS must take on this processor.
inside() {  # COMMAND...
  local name settings=()
  while read -r name; do
    case $name in
      PIP_* | SSL_CERT_* | *_CA_BUNDLE | *_proxy | *_PROXY | OPENBLAS_*)
        settings+=("$name=${!name}")
        ;;
    esac
  done < <(compgen -e)
  env -i "${settings[@]}" HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PIP_LOG=/root/pip.log \
    chroot "$machine" "$@"
}

make_base() {
  apt-get update -qq
  local host sources mirror
  host=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  sources=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE)' |
    awk -v host="$host" '$1 == "Debian" && index($3, host) == 1 {print $2, $3}' | sort -u)
  mirror=$(awk -v host="$host" '$2 == host {print $1}' <<<"$sources" | head -n 1)
  [ -n "$mirror" ] || skipped "apt's sources name no mirror of Debian"
  local release=$build/fresh/$codename.release
  /usr/lib/apt/apt-helper download-file "${mirror%/}/dists/$codename/Release" "$release" &>/dev/null ||
    skipped "the mirror of apt's sources has no $codename or cannot be reached"
  rm -f "$release"
  need_packages debootstrap
  say "making a bare $codename in $base"
  machine=$base.part
  rm -rf --one-file-system "$machine"
  local proxy=
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  http_proxy=${http_proxy:-$proxy} debootstrap --variant=minbase "$codename" "$machine" "$mirror" \
    >"$base.log" 2>&1 || { tail -n 20 "$base.log" >&2; return 1; }
  # The same sources of the other release, and this machine's way to them and to Python packages.
  awk -v host="$host" -v codename="$codename" \
    '{print "deb", $1, codename substr($2, length(host) + 1), "main"}' <<<"$sources" \
    >"$machine/etc/apt/sources.list"
  local name
  for name in /etc/apt/apt.conf /etc/apt/apt.conf.d /etc/apt/auth.conf /etc/apt/auth.conf.d \
    /etc/resolv.conf /etc/hosts /etc/ssl/certs /usr/local/share/ca-certificates "${pip_files[@]}"; do
    if [ -e "$name" ]; then
      mkdir -p "$machine$(dirname "$name")"
      cp -rLT "$name" "$machine$name"
    fi
  done
  # The folder need not outlive a power cut: without waiting for the disk after each file.
  echo force-unsafe-io >"$machine/etc/dpkg/dpkg.cfg.d/unsafe-io"
  mount -t proc proc "$machine/proc"
  inside apt-get update -qq
  inside apt-get install -y -qq --no-install-recommends python3 git >>"$base.log" 2>&1
  umount "$machine/proc"
  mv "$machine" "$base"
}

pip_files=(/etc/pip.conf /etc/xdg/pip "$HOME/.config/pip" "$HOME/.pip")
# Folders of this machine where its pip looks for packages: those of --find-links, and of an index
# (.../simple) the whole, as its pages link out of it.
pip_folders() {
  { env | grep '^PIP_'; cat "${pip_files[@]}" "${pip_files[@]/%//pip.conf}"; } 2>/dev/null |
    grep -oE '(file://)?/[^][ ,"'\''=]+' | sed -E 's,^file://,,; s,/simple/?$,,' | sort -u |
    while read -r name; do [ -d "$name" ] && echo "$name"; done
}
mount_read_only() {  # FOLDER PLACE
  mkdir -p "$2"
  mount --bind "$1" "$2"
  mount -o remount,bind,ro "$2"
}

mkdir -p "$build/fresh"
[ -d "$base" ] || make_base
say "a fresh $codename in $folder"
machine=$folder
rm -rf --one-file-system "$machine"
cp -a "$base" "$machine"
mount -t proc proc "$machine/proc"
mount --rbind /sys "$machine/sys"
mount --rbind /dev "$machine/dev"
mount -t tmpfs tmpfs "$machine/dev/shm"
while read -r name; do mount_read_only "$name" "$machine$name"; done < <(pip_folders)
data=${HOMOLOG_TEST_DATA:-$root/../shared/data}
[ ! -d "$data" ] || mount_read_only "$(readlink -f "$data")" "$machine/root/shared/data"
git clone --quiet --no-hardlinks "$root" "$machine/root/homolog"
git -C "$machine/root/homolog" checkout --quiet "$(git -C "$root" rev-parse HEAD)"
[ -z "$(git -C "$root" status --porcelain)" ] ||
  echo "what is not committed in $root is not in its clone"

packages() { inside dpkg-query -W -f '${Package}:${Architecture}=${Version}\n' | sort; }
# Megabytes: of Debian packages the sizes of those that are new, of Python packages those that pip
# names in its log, where they come from another machine or from a folder of this one.
debian_megabytes() {  # BEFORE
  comm -13 <(echo "$1") <(packages) | inside xargs -r apt-cache show |
    awk '/^Size:/ {sum += $2} END {printf "%.0f", sum / 1e6}'
}
python_megabytes() {  # LINES OF THE LOG THAT ARE OLD
  tail -n "+$(($1 + 1))" "$machine/root/pip.log" |
    sed -nE 's/.* Downloading .* \(([0-9.]+) ([kMG]?)B\).*/\1 \2/p; s,.* Processing (/.*\.whl).*,\1,p' |
    while read -r size unit; do
      case $size in
        /*) stat -c '%s' "$machine$size" ;;
        *) echo "$size ${unit:-1}" ;;
      esac
    done |
    awk '{unit["k"] = 1e3; unit["M"] = 1e6; unit["G"] = 1e9; sum += $1 * ($2 in unit ? unit[$2] : 1)}
         END {printf "%.0f", sum / 1e6}'
}

touch "$machine/root/pip.log"
lines=()
failed=0
for name in "$@"; do
  say "fresh machine $codename: ${command_of[$name]}"
  installed=$(packages)
  logged=$(wc -l <"$machine/root/pip.log")
  start=$SECONDS
  status=0
  inside bash -c 'cd /root/homolog && exec "$0"' "${command_of[$name]}" || status=$?
  minutes=$(awk -v seconds=$((SECONDS - start)) 'BEGIN {printf "%.1f", seconds / 60}')
  lines+=("fresh machine $codename: ${command_of[$name]}: exit $status, $minutes minutes, downloaded \
$(debian_megabytes "$installed") MB of Debian packages and $(python_megabytes "$logged") MB of Python packages")
  [ "$status" = 0 ] || failed=$((failed + 1))
done
say "fresh machine"
printf '%s\n' "${lines[@]}"
echo "$(($# - failed)) passed, $failed failed"
[ "$failed" = 0 ]
