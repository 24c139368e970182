# SPDX-License-Identifier: Apache-2.0
# Sourced by examples/quickstart.sh and tests/run.sh: installs what is missing on a Debian 12 or 13
# machine and sets `python`, `torch_dir`, `torch_root`. Keeps to build/ where it can.

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
    has_python "$requirement" || missing+=("$requirement")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing Python packages: ${missing[*]}"
    "$python" -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
      "${missing[@]}"
  fi
}

has_python() {  # NAME or NAME==VERSION
  "$python" - "$1" <<'PY'
import sys
from importlib import metadata
name, _, version = sys.argv[1].partition("==")
try:
    found = metadata.version(name).split("+")[0]
except metadata.PackageNotFoundError:
    sys.exit(1)
sys.exit(0 if version in ("", found) else 1)
PY
}

oldest_libtorch=2.4
# Debian's LibTorch multiplies matrices by the BLAS that is installed, and asks for the reference one
# alone, which is 20 times as slow as OpenBLAS. The build with OpenMP takes LibTorch's number of threads.
debian_libtorch=(libtorch-dev libopenblas0-openmp)
pip_torch=torch==2.13.0

# LibTorch: what CMake finds already, by CMAKE_PREFIX_PATH first; else Debian's package; else the
# wheel of pip, and of a CUDA build without an NVIDIA GPU only what its CPU side loads. Sets
# `torch_dir`, the folder of TorchConfig.cmake, and `torch_root`, where include/ is.
need_libtorch() {
  if ! find_libtorch; then
    if debian_offers_libtorch && need_packages "${debian_libtorch[@]}"; then
      find_libtorch || return 1
    else
      need_libtorch_of_pip || return 1
      CMAKE_PREFIX_PATH=$("$python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))') \
        find_libtorch || return 1
    fi
  fi
  torch_root=$torch_dir
  while [ ! -d "$torch_root/include/torch" ] && [ "$torch_root" != / ]; do
    torch_root=$(dirname "$torch_root")
  done
  say "LibTorch $torch_version of $torch_dir"
}

# CMake itself says which LibTorch it would take.
find_libtorch() {
  local config
  read -r torch_version config < <(cmake -DCMAKE_LIBRARY_ARCHITECTURE="$(g++ -print-multiarch)" \
    -P "$root/cmake/homolog_torch.cmake") || return 1
  if [ -z "$config" ]; then
    say "LibTorch $torch_version, which CMake finds, is left alone: homolog needs $oldest_libtorch"
    return 1
  fi
  torch_dir=$(dirname "$config")
}

debian_offers_libtorch() {
  command -v apt-cache >/dev/null || return 1
  compgen -G "/var/lib/apt/lists/*_Packages*" >/dev/null || as_root apt-get update -qq
  local version size
  version=$(LC_ALL=C apt-cache policy libtorch-dev | sed -n 's/^ *Candidate: \([0-9.]*\).*/\1/p')
  dpkg --compare-versions "${version:-0}" ge $oldest_libtorch || return 1
  size=$(LC_ALL=C as_root apt-get install --assume-no --no-install-recommends \
    "${debian_libtorch[@]}" 2>/dev/null | sed -n 's/^Need to get \(.*B\).*/\1/p')
  say "LibTorch: Debian's libtorch-dev $version, for the CPU; ${size:-an unknown number of MB} to download"
  if has_nvidia_gpu; then
    echo "It leaves the NVIDIA GPU alone. One that does not: pip install torch into an environment, and"
    echo "start again with CMAKE_PREFIX_PATH set to its site-packages (about 5 GB)."
  fi
}

has_nvidia_gpu() { [ -e /dev/nvidia0 ] || nvidia-smi -L >/dev/null 2>&1; }

need_libtorch_of_pip() {
  need_python
  local install=("$python" -m pip install --quiet --disable-pip-version-check --no-warn-conflicts)
  if ! has_python "$pip_torch"; then
    say "LibTorch: the wheel $pip_torch of pip; 0.2 GB to download as a CPU build, 0.6 GB as a CUDA build"
    "${install[@]}" --no-deps "$pip_torch" || return 1
  fi
  local requirements=()
  mapfile -t requirements < <(cuda_on_cpu)
  if [ ${#requirements[@]} = 0 ]; then
    "${install[@]}" "$pip_torch" numpy
  elif has_nvidia_gpu; then
    say "a CUDA build, and an NVIDIA GPU is here: with all its CUDA libraries, another 4 GB"
    "${install[@]}" "$pip_torch" numpy
  else
    say "a CUDA build without an NVIDIA GPU: with the CUDA runtime and CUPTI alone, another 20 MB"
    "${install[@]}" "${requirements[@]}"
  fi
}

# A CUDA build names its CUDA libraries as requirements, in other words for each CUDA. On the CPU it
# loads two of them: the CUDA runtime and CUPTI. Prints nothing for a CPU build.
cuda_on_cpu() {
  "$python" - <<'PY'
import re
from importlib import metadata
for line in metadata.requires("torch") or ():
    line = line.replace("(", "").replace(")", "")
    if re.match(r"nvidia-cuda-(runtime|cupti)\b", line):
        print(line)
    elif line.startswith("cuda-toolkit["):
        print(re.sub(r"\[.*?\]", "[cudart,cupti]", line))
PY
}

# Whether PyTorch can be imported, by Debian's package where LibTorch is Debian's. A newcomer is not
# made to download gigabytes for it.
need_python_torch() {
  "$python" -c 'import torch' 2>/dev/null && return
  if [[ $torch_dir == /usr/lib/* && $(realpath "$python") == $(realpath /usr/bin/python3) ]]; then
    need_packages python3-torch
    /usr/bin/python3 -m venv --system-site-packages "$build/venv"
    "$python" -c 'import torch' 2>/dev/null && return
  fi
  echo "PyTorch cannot be imported here. To compare with it: $python -m pip install $pip_torch" \
    "(up to 5 GB)"
  return 1
}

build_packages=(g++ cmake ninja-build ccache python3 python3-venv libeigen3-dev libstb-dev
  nlohmann-json3-dev libcli11-dev zlib1g-dev libssl-dev libkainjow-mustache-dev
  libgloo-dev)

# The tree of another commit, for comparisons with this one: sets `commit`, `before` (the commit's
# folder below build/) and `before_tree`, and installs the packages that commit builds with.
need_commit() {  # COMMIT
  commit=$(git -C "$root" rev-parse --verify "$1^{commit}")
  before=$build/against/$commit
  before_tree=$before/tree
  mkdir -p "$before_tree"
  [ -f "$before_tree/CMakeLists.txt" ] || git -C "$root" archive "$commit" | tar -x -C "$before_tree"
  (. "$before_tree/cmake/prepare_machine.sh" && need_packages "${build_packages[@]}")
}

configure_and_build() {  # FOLDER TARGET... -- CMAKE_OPTION...
  local folder=$1 targets=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do targets+=("$1"); shift; done
  [ $# -gt 0 ] && shift
  local launcher=() prefixes=${CMAKE_PREFIX_PATH:-}
  command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  cmake -S "$root" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DTorch_DIR="$torch_dir" -DCMAKE_PREFIX_PATH="${prefixes//:/;}" \
    "${launcher[@]}" "$@" >"$folder.configure.log" 2>&1 ||
    { tail -n 40 "$folder.configure.log" >&2; return 1; }
  # Each LibTorch translation unit takes over 1 GB, so two at a time.
  cmake --build "$folder" -j "${JOBS:-2}" --target "${targets[@]}"
}
