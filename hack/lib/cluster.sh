# Builds etcd, the Kubernetes programs and the test image of hack/cluster into the cache. Sourced by setup.sh.

# build_cluster PROGRAMS: those that the cache lacks. Sets EIPD_CLUSTER_BIN.
build_cluster() {
    local program
    EIPD_CLUSTER_BIN=$(cluster_dir)
    mkdir -p "$EIPD_CLUSTER_BIN"
    for program in $1; do
        [ -x "$EIPD_CLUSTER_BIN/$program" ] || build_cluster_program "$program"
    done
    [ -e "$EIPD_CLUSTER_BIN/test.tar" ] ||
        "$EIPD_ROOT/hack/image" test "$EIPD_CLUSTER_BIN/testimage" "$EIPD_CLUSTER_BIN/test.tar"
}

# The folder is named by what goes into it, so that a new version never meets an old build.
cluster_dir() {
    local sum
    sum=$(cat "$EIPD_ROOT"/hack/cluster/go.{mod,sum} "$EIPD_ROOT/hack/cluster/testimage/main.go" \
        "$EIPD_ROOT/hack/image" | sha256sum | cut -c1-8)
    printf '%s/cluster/kubernetes-%s-etcd-%s-%s\n' "$EIPD_CACHE" "$(module_version k8s.io/kubernetes)" \
        "$(module_version go.etcd.io/etcd/server/v3)" "$sum"
}

# module_version MODULE: the version that go.mod requires.
module_version() { awk -v module="$1" '$1 == module && $2 ~ /^v/ {print $2; exit}' "$EIPD_ROOT/hack/cluster/go.mod"; }

build_cluster_program() {
    command -v go >/dev/null || die "Go is needed to build Kubernetes: see https://go.dev/doc/install"
    case $1 in
        etcd) go_build etcd go.etcd.io/etcd/server/v3 ;;
        testimage) go_build testimage ./testimage ;;
        *) go_build "$1" "k8s.io/kubernetes/cmd/$1" ;;
    esac
}

# go_build NAME PACKAGE: a static program, put into its place only when it is whole. Without gitVersion kubelet and
# kube-apiserver would call themselves v0.0.0.
go_build() {
    local version minor package=k8s.io/component-base/version temporary
    version=$(module_version k8s.io/kubernetes)
    minor=$(printf '%s' "$version" | cut -d. -f2)
    temporary=$(mktemp -d "$EIPD_CLUSTER_BIN/building.XXXXXX")
    step "building $1" env -C "$EIPD_ROOT/hack/cluster" CGO_ENABLED=0 GOFLAGS= GOWORK=off \
        go build -buildvcs=false -trimpath -o "$temporary/$1" \
        -ldflags "-s -w -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor" "$2" ||
        { rm -rf "$temporary"; return 1; }
    mv "$temporary/$1" "$EIPD_CLUSTER_BIN/$1"
    rmdir "$temporary"
}
