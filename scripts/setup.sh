#!/usr/bin/env bash
# Installs what the build and the tests need on Debian 12 (bookworm) or a relative of it.  Says nothing and does nothing when all is there.
# CUDA and NCCL are used when nvcc is found and are not installed here: they are not in the distribution.
set -euo pipefail

packages=(
  g++ cmake ninja-build git                                    # build
  mpich libmpich-dev libhdf5-dev                               # MPI, HDF5
  libboost-program-options-dev nlohmann-json3-dev libfmt-dev libspdlog-dev
  libxlsxwriter-dev                                            # workbooks of reckon report
  libdnnl2                                                     # matrix products on the CPU
  libgtest-dev libgmock-dev libsimgrid-dev                     # tests; SimGrid: the simulator's flows against it
  python3 python3-h5py python3-xarray python3-netcdf4 python3-numpy python3-pandas
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "setup: this machine has no apt-get; install by hand: ${missing[*]}" >&2
  exit 2
fi
run=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: needs root or sudo to install: ${missing[*]}" >&2
    exit 2
  fi
  run=(sudo)
fi
echo "setup: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get update -q
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
