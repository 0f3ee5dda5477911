#!/usr/bin/env bash
# Builds emflow's .deb and .rpm, reproducibly: the same commit gives the same bytes in any directory.
#
#   packaging/build.sh [OUT-DIR]      default: target/packages
#
# Needs cargo-deb and cargo-generate-rpm on the PATH (cargo install cargo-deb cargo-generate-rpm), and
# Python 3.11 for the bill of materials. EMFLOW_NO_BUILD=1 packs the program that the last run built.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
out=$(realpath -m "${1:-target/packages}")
target=$(rustc -vV | sed -n 's/^host: //p')
# A directory of its own: the flags below would make every other build start anew.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/packaging}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
# Paths of this machine must not reach the program.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
export RUSTFLAGS="--remap-path-prefix=$root=/usr/src/emflow --remap-path-prefix=$cargo_home=/usr/src/cargo"
export CFLAGS="-ffile-prefix-map=$root=/usr/src/emflow -ffile-prefix-map=$cargo_home=/usr/src/cargo"

step() { printf '== %s (%s s)\n' "$1" "$SECONDS"; }

program=$CARGO_TARGET_DIR/release/emflow
if [ -z "${EMFLOW_NO_BUILD:-}" ]; then
  step "the program"
  cargo build --release --locked --bin emflow
fi

step "manual pages, completions, bill of materials"
share=$CARGO_TARGET_DIR/share
rm -rf "$share"
mkdir -p "$share/completions"
"$program" man --dir "$share/man"
find "$share/man" -type f -exec gzip -9n {} +
for shell in bash zsh fish; do "$program" completions "$shell" > "$share/completions/$shell"; done
python3 packaging/sbom.py "$target" "$share"
gzip -9n "$share/THIRD-PARTY-LICENSES"
gzip -9nc CHANGELOG.md > "$share/CHANGELOG.md.gz"

# The packages name what is made here by this path, wherever the build directory is.
ln -sfn "$share" target/share

# cargo-generate-rpm takes over the times of the files where they are older than the commit.
find packaging docs/*.md LICENSE-* "$share" "$program" -type f -exec touch --date="@$SOURCE_DATE_EPOCH" {} +

step "packages"
mkdir -p "$out"
rm -f "$out"/emflow*.deb "$out"/emflow*.rpm
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
cargo deb --no-build --no-strip --quiet --deb-version "$version-1" --output "$out/emflow_$version-1_amd64.deb"
cargo generate-rpm --payload-compress gzip --set-metadata "version = \"$version\"" \
  --output "$out/emflow-$version-1.x86_64.rpm" >/dev/null
(cd "$out" && sha256sum emflow*.deb emflow*.rpm | tee SHA256SUMS)
printf 'program: %s bytes\n' "$(stat -c %s "$program")"
step done
