# SPDX-License-Identifier: Apache-2.0
# Sourced by examples/quickstart.sh and tests/run.sh: installs what is missing on a Debian 12
# machine and sets `python`, `torch_prefix`. Keeps to build/ where it can.

say() { printf '\n== %s\n' "$*"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian packages by name; only those that are not there yet.
need_packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing Debian packages: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      "${missing[@]}" >/dev/null
  fi
}

# A virtual environment under build/ that holds the named Python packages.
need_python() {
  python=$build/venv/bin/python
  if [ ! -x "$python" ]; then
    say "making a Python environment in $build/venv"
    "${PYTHON:-python3}" -m venv "$build/venv"
  fi
  local missing=()
  for requirement in "$@"; do
    "$python" - "$requirement" <<'PY' || missing+=("$requirement")
import sys
from importlib import metadata
name, _, version = sys.argv[1].partition("==")
try:
    found = metadata.version(name).split("+")[0]
except metadata.PackageNotFoundError:
    sys.exit(1)
sys.exit(0 if version in ("", found) else 1)
PY
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing Python packages: ${missing[*]}"
    "$python" -m pip install --quiet --disable-pip-version-check "${missing[@]}"
  fi
}

# LibTorch: one that CMAKE_PREFIX_PATH holds already, else the PyTorch package's, whose CUDA build
# CMake takes only next to CUDA's toolkit.
need_libtorch() {
  torch_prefix=
  local folder
  IFS=: read -ra folders <<<"${CMAKE_PREFIX_PATH:-}"
  for folder in "${folders[@]}"; do
    if [ -f "$folder/share/cmake/Torch/TorchConfig.cmake" ] ||
       [ -f "$folder/Torch/TorchConfig.cmake" ]; then
      torch_prefix=$folder
      say "using LibTorch of CMAKE_PREFIX_PATH: $folder"
      return
    fi
  done
  need_python torch==2.13.0 numpy
  if ! "$python" -c 'import torch, shutil, sys; sys.exit(bool(torch.version.cuda) and not shutil.which("nvcc"))'; then
    say "pip brought a CUDA build of PyTorch, and there is no nvcc: install CUDA's toolkit, or the CPU
   build of PyTorch 2.13.0 into $build/venv (its index stands on PyTorch's own page), and start again" >&2
    return 1
  fi
  torch_prefix=$("$python" -c 'import torch; print(torch.utils.cmake_prefix_path)')
}

build_packages=(g++ cmake ninja-build ccache python3 python3-venv libeigen3-dev libstb-dev
  nlohmann-json3-dev libcli11-dev libmatio-dev zlib1g-dev libssl-dev libkainjow-mustache-dev
  libgloo-dev)

configure_and_build() {  # FOLDER TARGET... -- CMAKE_OPTION...
  local folder=$1 targets=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do targets+=("$1"); shift; done
  [ $# -gt 0 ] && shift
  local launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  cmake -S "$root" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$torch_prefix${CMAKE_PREFIX_PATH:+;${CMAKE_PREFIX_PATH//:/;}}" \
    "${launcher[@]}" "$@" >"$folder.configure.log" 2>&1 ||
    { tail -n 40 "$folder.configure.log" >&2; return 1; }
  # Each LibTorch translation unit takes over 1 GB, so two at a time.
  cmake --build "$folder" -j "${JOBS:-2}" --target "${targets[@]}"
}
