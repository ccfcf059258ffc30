# What hack/demo, hack/test and hack/bench need, made ready: packages, the cluster's programs, our own binaries and
# images. Sourced, never run. What is slow to build is cached outside the clone, by version; nothing is asked.

set -euo pipefail

EIPD_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
EIPD_CACHE=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/eipd
# In the cache, so that a fresh clone is warm.
export CARGO_TARGET_DIR=$EIPD_CACHE/target
mkdir -p "$EIPD_CACHE"

. "$EIPD_ROOT/hack/lib/progress.sh"
. "$EIPD_ROOT/hack/lib/packages.sh"
. "$EIPD_ROOT/hack/lib/cluster.sh"
. "$EIPD_ROOT/hack/lib/binaries.sh"

# set_up_cluster [--light]: everything that a world is made of; sets and exports the variables that testbed reads. Without
# root, or with --light, what only real nodes need is left out.
set_up_cluster() {
    local light=no programs="etcd kube-apiserver kube-controller-manager kube-scheduler kubectl testimage"
    if [ "${1:-}" = --light ] || [ "$(id -u)" -ne 0 ]; then light=yes; fi
    lock_cache
    if [ "$light" = yes ]; then
        install_packages "$BASE_PACKAGES"
    else
        install_packages "$BASE_PACKAGES$BUILD_PACKAGES$NODE_PACKAGES"
        programs="$programs kubelet"
    fi
    build_cluster "$programs"
    build_binaries
    unlock_cache
    export EIPD_ROOT EIPD_CLUSTER_BIN EIPD_AGENT_BIN EIPD_CLOUDSIM_BIN EIPD_TESTBED_BIN EIPD_IMAGES
}

# Two runs that set up at once would build the same twice and disturb each other.
lock_cache() {
    exec {EIPD_LOCK}>"$EIPD_CACHE/lock"
    flock --nonblock "$EIPD_LOCK" || { say "waiting for another run to finish its set-up ..."; flock "$EIPD_LOCK"; }
}

unlock_cache() { exec {EIPD_LOCK}>&-; }
