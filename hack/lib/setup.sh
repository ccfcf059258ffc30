# What hack/demo, hack/test and hack/bench need, made ready: packages, the cluster's programs, our own binaries and
# images. Sourced, never run. What is slow to build is cached outside the clone, by version.

set -euo pipefail

EIPD_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
EIPD_CACHE=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/eipd
mkdir -p "$EIPD_CACHE"

. "$EIPD_ROOT/hack/lib/progress.sh"
. "$EIPD_ROOT/hack/lib/packages.sh"
. "$EIPD_ROOT/hack/lib/cluster.sh"
