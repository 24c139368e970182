#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where cmake/prepare_machine.sh takes LibTorch from: CMAKE_PREFIX_PATH in every form that CMake takes,
# then Debian's package where it is new enough, then pip's wheel with what its CPU side loads. Folders and
# metadata are made here; nothing is installed.
#   prepare_machine.sh SOURCE PREFIX WORK
set -euo pipefail
root=$1 build=$3
rm -rf "$build"
mkdir -p "$build"
unset CMAKE_PREFIX_PATH Torch_DIR Torch_ROOT
. "$root/cmake/prepare_machine.sh"

wrong() { echo "$*"; exit 1; }
libtorch() {  # FOLDER VERSION: the files by which CMake and the scripts know a LibTorch
  mkdir -p "$1"
  echo "message(FATAL_ERROR \"read\")" >"$1/TorchConfig.cmake"
  printf 'set(PACKAGE_VERSION "%s")\nif(PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)\nelse()\n  set(PACKAGE_VERSION_COMPATIBLE TRUE)\nendif()\n' "$2" \
    >"$1/TorchConfigVersion.cmake"
}
site=$build/site-packages wheel=$build/site-packages/torch
libtorch "$wheel/share/cmake/Torch" 2.13.0
libtorch "$build/usr/lib/$(g++ -print-multiarch)/cmake/Torch" 2.6.0
libtorch "$build/old/share/cmake/Torch" 2.3.1
mkdir -p {"$wheel","$build/usr"}/include/torch

# Each place that is not the one to be taken says so. What this machine's own Debian has is out of sight.
find_libtorch_by_cmake=$(declare -f find_libtorch)
need_packages() { echo "packages $*" >>"$build/asked"; }
need_libtorch_of_pip() { echo pip >>"$build/asked"; libtorch "$build/pip/torch/share/cmake/Torch" 2.13.0; }
python=$build/python
printf '#!/bin/sh\necho "%s"\n' "$build/pip" >"$python"
chmod +x "$python"
as_root() { echo "Need to get 164 MB of archives."; }
apt-cache() { printf 'libtorch-dev:\n  Installed: (none)\n  Candidate: %s\n' "$candidate"; }
has_nvidia_gpu() { false; }
takes() {  # VERSION FOLDER ROOT
  rm -f "$build/asked"
  need_libtorch >"$build/said" || { cat "$build/said"; wrong "no LibTorch is taken"; }
  [ "$torch_version $torch_dir $torch_root" = "$1 $2 $3" ] ||
    wrong "taken: $torch_version of $torch_dir, below $torch_root; expected: $*"
  echo "ok: ${CMAKE_PREFIX_PATH:-nothing given}: $1 of $2"
}
candidate=1.13.1+dfsg-4
for CMAKE_PREFIX_PATH in "$site" "$wheel" "$wheel/share/cmake" "/nowhere:$site"; do
  export CMAKE_PREFIX_PATH
  takes 2.13.0 "$wheel/share/cmake/Torch" "$wheel"
done
CMAKE_PREFIX_PATH=$build/usr
takes 2.6.0 "$build/usr/lib/$(g++ -print-multiarch)/cmake/Torch" "$build/usr"
[ ! -f "$build/asked" ] || wrong "asked although LibTorch was there: $(cat "$build/asked")"
CMAKE_PREFIX_PATH=$build/old
if find_libtorch >"$build/said"; then  # it gives way to a newer one of this machine's own
  [[ $torch_dir != "$build"/* ]] || wrong "LibTorch $torch_version is taken"
else
  grep -q "LibTorch 2.3.1, which CMake finds, is left alone: homolog needs 2.4" "$build/said" || wrong "$(cat "$build/said")"
fi

# With none of its own, from Debian or from pip: here a system without LibTorch until it was asked for.
unset CMAKE_PREFIX_PATH
find_libtorch() {
  [ -n "${CMAKE_PREFIX_PATH:-}" ] || grep -q libtorch-dev "$build/asked" 2>/dev/null || return 1
  (eval "$find_libtorch_by_cmake" && CMAKE_PREFIX_PATH=${CMAKE_PREFIX_PATH:-$build/usr} find_libtorch &&
    echo "$torch_version $torch_dir") >"$build/found" && read -r torch_version torch_dir <"$build/found"
}
candidate=2.6.0+dfsg-7
takes 2.6.0 "$build/usr/lib/$(g++ -print-multiarch)/cmake/Torch" "$build/usr"
[ "$(cat "$build/asked")" = "packages libtorch-dev libopenblas0-openmp" ] || wrong "asked: $(cat "$build/asked")"
grep -q "libtorch-dev 2.6.0, for the CPU; 164 MB to download" "$build/said" || wrong "$(cat "$build/said")"
for candidate in 1.13.1+dfsg-4 "(none)"; do
  mkdir -p "$build/pip/torch/include/torch"
  takes 2.13.0 "$build/pip/torch/share/cmake/Torch" "$build/pip/torch"
  [ "$(cat "$build/asked")" = pip ] || wrong "asked: $(cat "$build/asked")"
done

# What a wheel loads on the CPU, in the words of its metadata.
names() {  # EXPECTED, metadata from standard input
  mkdir -p "$build/metadata/torch-9.dist-info"
  printf 'Metadata-Version: 2.1\nName: torch\nVersion: 9\n%s\n' "$(cat)" \
    >"$build/metadata/torch-9.dist-info/METADATA"
  local got
  got=$(cuda_on_cpu | tr '\n' '|')
  [ "$got" = "$1" ] || wrong "the wheel's two libraries: $got, expected $1"
  echo "ok: $got"
}
printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" "$@"\n' "$build/metadata" \
  "$(python3 -c 'import sys; print(sys.executable)')" >"$python"
names 'nvidia-cuda-runtime-cu12 ==12.4.127 ; platform_system == "Linux"|nvidia-cuda-cupti-cu12==12.4.127|' <<'WHEEL'
Requires-Dist: filelock
Requires-Dist: nvidia-cuda-nvrtc-cu12 (==12.4.127) ; platform_system == "Linux"
Requires-Dist: nvidia-cuda-runtime-cu12 (==12.4.127) ; platform_system == "Linux"
Requires-Dist: nvidia-cuda-cupti-cu12==12.4.127
Requires-Dist: nvidia-cublas-cu12 (==12.4.5.8) ; platform_system == "Linux"
WHEEL
names 'cuda-toolkit[cudart,cupti]==13.0.3; platform_system == "Linux"|' <<'WHEEL'
Requires-Dist: cuda-toolkit[cublas,cudart,cufft,cupti,nvtx]==13.0.3; platform_system == "Linux"
Requires-Dist: nvidia-cudnn-cu13==9.20.0.48; platform_system == "Linux"
WHEEL
names '' <<'WHEEL'
Requires-Dist: filelock
Requires-Dist: numpy
WHEEL
