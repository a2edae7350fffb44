#!/usr/bin/env bash
# Installs what Sluice needs on Debian 12 or 13: packages by name, and Apache Arrow below build/.
#
#   tools/setup.sh [build] [test] [package]    install the named groups (default: build)
#   tools/setup.sh --list [GROUP..]            print the package names of the groups and do nothing else
#
# build    compiler, build tools and libraries; enough to build everything, tests too
# test     what running the tests, the sanitizers and the fuzz targets needs (includes build)
# package  what `cpack` needs to make the .deb (includes build)
#
# Safe to run again: it looks at what is installed and asks apt only for what is missing. Only the packages need root; a
# run without it prints the command to give and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }

main() {
  local list_only=no
  [ "${1:-}" = --list ] && { list_only=yes; shift; }
  [ $# -gt 0 ] || set -- build
  local group
  for group in "$@"; do
    case $group in
      build | test | package) ;;
      -h | --help) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
      *) say "unknown group '$group'; the groups are build, test and package" >&2; exit 2 ;;
    esac
  done
  local packages
  packages=$(for group in build "$@"; do "packages_$group"; done | xargs -n1 | sort -u)
  if [ $list_only = yes ]; then echo "$packages"; exit 0; fi

  install_packages "$packages"
  if [ -x tools/fetch_arrow.sh ]; then tools/fetch_arrow.sh build/_arrow; fi
}

# The release's number; anything but a Debian we know gets the list of packages to find by hand.
debian_release() {
  local id="" version=""
  if [ -r /etc/os-release ]; then
    id=$(. /etc/os-release; echo "${ID:-}")
    version=$(. /etc/os-release; echo "${VERSION_ID:-}")
  fi
  case "$id $version" in
    "debian 12" | "debian 13") echo "$version" ;;
    *)
      say "this is '${id:-unknown} ${version}', not Debian 12 or 13; install the counterparts of 'tools/setup.sh --list' by hand" >&2
      return 1 ;;
  esac
}

packages_build() {
  echo ca-certificates ccache clang-19 cmake lld-19 ninja-build pkgconf protobuf-compiler python3 python3-pip
  echo libcli11-dev libcurl4-openssl-dev libfmt-dev libisal-dev libjq-dev liblz4-dev libnghttp2-dev libpq-dev libprotobuf-dev libre2-dev librocksdb-dev
  echo libseccomp-dev
  echo libsimdjson-dev libsnappy-dev libspdlog-dev libssl-dev libtomlplusplus-dev libxxhash-dev libyaml-cpp-dev libzstd-dev prometheus-cpp-dev zlib1g-dev
  echo catch2 libbenchmark-dev librapidcheck-dev
  case $release in  # Debian 12's default Boost is too old for us, so Boost is named by its version on both.
    12) echo libboost1.81-dev libboost-json1.81-dev ;;
    13) echo libboost1.83-dev libboost-json1.83-dev ;;
  esac
}

packages_test() {
  echo clang-format-19 curl git libclang-rt-19-dev llvm-19 openssl procps python3-venv
  echo e2fsprogs mount util-linux xfsprogs  # power-cut tests
  echo strace                               # failing system calls
  echo libnbd-bin                           # nbdfuse: disks that fail
  echo ceph-mon ceph-osd radosgw            # an S3 server
}

packages_package() {
  echo dpkg-dev file
}

# Prints those of the given packages that are not fully installed.
missing_packages() {
  comm -23 <(echo "$1") <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u)
}

install_packages() {
  local missing
  missing=$(missing_packages "$1")
  if [ -z "$missing" ]; then
    say "all $(echo "$1" | wc -l) packages are present (Debian $release)"
    return
  fi
  local names
  names=$(echo "$missing" | xargs)
  if [ "$(id -u)" -ne 0 ]; then
    say "$(echo "$missing" | wc -l) packages are missing and installing them needs root. Run this, then start again:" >&2
    echo "  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends $names'" >&2
    exit 1
  fi
  say "installing $(echo "$missing" | wc -l) packages on Debian $release: $names" | fold -s -w 118
  local log=build/setup.log started=$SECONDS
  mkdir -p build
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update && apt-get install -y --no-install-recommends $names; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    say "apt could not install the packages; the whole output is in $log" >&2
    exit 1
  fi
  say "installed in $((SECONDS - started)) s"
}

release=$(debian_release)
main "$@"
