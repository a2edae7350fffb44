#!/usr/bin/env bash
# Fetches Apache Arrow C++ (headers, libarrow, libarrow_s3, libparquet) out of the pinned pyarrow wheel into DEST.
#   tools/fetch_arrow.sh [DEST]     (DEST: build/_arrow of this tree unless given)
# Called by tools/setup.sh and, where DEST is missing, by CMake at configure time (cmake/FindSluiceArrow.cmake). Needs
# python3 with pip or venv and access to PyPI. Does nothing where DEST already holds this version. Two callers at once
# are safe: one fetches, the other waits. A call that dies leaves no DEST behind.
set -euo pipefail

version=26.0.1
declare -A sha256=(
  [x86_64]=39cb0f2418282c24bea6ceda77b03e5a8f0a5766b63a8bf194d4e2a2c423548c
  [aarch64]=22a96a225de107eb9acd1ad9a818198ca832df2a4c0952412f754a7ed2105a98
)

if [ $# -gt 1 ]; then
  echo "usage: tools/fetch_arrow.sh [DEST]" >&2
  exit 2
fi
machine=$(uname -m)
if [ -z "${sha256[$machine]:-}" ]; then
  echo "fetch_arrow: no pinned wheel for $machine; install Arrow C++ 20 or newer (find_package Arrow and Parquet) instead" >&2
  exit 1
fi
dest=$(realpath -m "${1:-$(dirname "$0")/../build/_arrow}")
mkdir -p "$(dirname "$dest")"
exec 9>"$dest.lock"
flock 9
same_version() { [ "$(cat "$dest/VERSION" 2>/dev/null || true)" = "$version" ]; }
if same_version && [ -e "$dest/lib/libarrow_s3.so" ]; then
  exit 0
fi

work=$(mktemp -d "$dest.XXXXXX")
trap 'rm -rf "$work"' EXIT

python=python3
if ! python3 -m pip --version >/dev/null 2>&1; then
  python3 -m venv "$work/venv" || { echo "fetch_arrow: install python3-pip or python3-venv" >&2; exit 1; }
  python="$work/venv/bin/python"
fi
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: "pyarrow==$version" \
  --platform "manylinux_2_28_$machine" --python-version 3.11 --implementation cp --abi cp311 --dest "$work"
wheel=$(echo "$work"/pyarrow-*.whl)
if ! echo "${sha256[$machine]}  $wheel" | sha256sum --check --quiet; then
  echo "fetch_arrow: $(basename "$wheel") is not the pinned file; nothing was unpacked" >&2
  exit 1
fi
python3 -m zipfile -e "$wheel" "$work/wheel"

mkdir -p "$work/arrow/include" "$work/arrow/lib"
mv "$work/wheel/pyarrow/include/arrow" "$work/wheel/pyarrow/include/parquet" "$work/arrow/include/"
for library in arrow arrow_s3 parquet; do
  for file in "$work/wheel/pyarrow/lib$library.so."*; do
    mv "$file" "$work/arrow/lib/"
    ln -s "$(basename "$file")" "$work/arrow/lib/lib$library.so"
  done
done
find "$work/wheel"/pyarrow-*.dist-info -name '*LICENSE*' -o -name '*NOTICE*' | while read -r file; do
  cp "$file" "$work/arrow/"
done
echo "$version" >"$work/arrow/VERSION"
if same_version; then  # by an older script, which left out a library: others may be compiling with the rest
  mv --no-clobber "$work/arrow/lib/"* "$dest/lib/"
else
  rm -rf "$dest"
  mv "$work/arrow" "$dest"
fi
echo "fetch_arrow: Arrow C++ $version is in $dest"
