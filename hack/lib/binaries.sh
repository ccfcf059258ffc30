# Builds the agent as users run it, its image, and the programs of the testbed. Sourced by setup.sh.

# build_binaries: sets EIPD_AGENT_BIN, EIPD_CLOUDSIM_BIN, EIPD_TESTBED_BIN and EIPD_IMAGES. They lie in a folder that is
# named by their content: another clone that builds something else meanwhile does not change them under a running world.
build_binaries() {
    local target agent debug=$CARGO_TARGET_DIR/debug dir sum
    command -v cargo >/dev/null || die "Rust is needed: see https://rustup.rs"
    target=$(static_target)
    step "building the agent ($target)" build_agent "$target"
    step "building testbed and cloudsim" env -C "$EIPD_ROOT" cargo build --locked -p testbed -p cloudsim --bins
    agent=$CARGO_TARGET_DIR/$target/release/eipd
    sum=$(cat "$agent" "$debug/testbed" "$debug/cloudsim" "$EIPD_CLUSTER_BIN/test.tar" "$EIPD_ROOT/hack/image" |
        sha256sum | cut -c1-16)
    dir=$EIPD_CACHE/built/$sum
    [ -e "$dir" ] || collect_binaries "$dir" "$agent" "$debug/testbed" "$debug/cloudsim"
    touch "$dir"
    forget_binaries
    EIPD_AGENT_BIN=$dir/eipd EIPD_CLOUDSIM_BIN=$dir/cloudsim EIPD_TESTBED_BIN=$dir/testbed EIPD_IMAGES=$dir
}

# The target whose programs need nothing of the system they run on.
static_target() {
    local musl installed
    musl=$(uname -m)-unknown-linux-musl
    installed=$(cd "$EIPD_ROOT" && rustc --print sysroot)/lib/rustlib/$musl
    if [ -d "$installed" ] || (cd "$EIPD_ROOT" && rustup target add "$musl" >&2); then
        printf '%s\n' "$musl"
    else
        printf '%s\n' "$(uname -m)-unknown-linux-gnu"
    fi
}

# build_agent TARGET: the paths of this machine do not get into the binary.
build_agent() {
    local flags cc
    flags="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$EIPD_ROOT=/eipd"
    case $1 in *-gnu) flags="$flags -C target-feature=+crt-static" ;; esac
    cc=$(command -v musl-gcc || echo cc)
    env -C "$EIPD_ROOT" "CC_${1//-/_}=$cc" RUSTFLAGS="$flags" \
        cargo build --locked --release --target "$1" -p eipd --bin eipd
}

# collect_binaries FOLDER AGENT TESTBED CLOUDSIM
collect_binaries() {
    local temporary
    mkdir -p "$EIPD_CACHE/built"
    temporary=$(mktemp -d "$EIPD_CACHE/building.XXXXXX")
    cp "$2" "$3" "$4" "$temporary"
    "$EIPD_ROOT/hack/image" eipd "$temporary/eipd" "$temporary/eipd.tar"
    cp "$EIPD_CLUSTER_BIN/test.tar" "$temporary"
    mv "$temporary" "$1"
}

# All but the four used last go.
forget_binaries() {
    local old
    find "$EIPD_CACHE/built" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -rn | tail -n +5 | cut -d' ' -f2- |
        while read -r old; do rm -rf "$old"; done
}
