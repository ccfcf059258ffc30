# Builds etcd and the Kubernetes programs of hack/cluster into the cache. Sourced by setup.sh.

readonly CLUSTER_PROGRAMS="kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl"

# The folder of the programs: named by what goes into them, so that a new version never meets an old build.
cluster_dir() {
    local kubernetes etcd sum
    kubernetes=$(cluster_version k8s.io/kubernetes)
    etcd=$(cluster_version go.etcd.io/etcd/server/v3)
    sum=$(cat "$EIPD_ROOT"/hack/cluster/go.{mod,sum} | sha256sum | cut -c1-8)
    printf '%s/cluster/kubernetes-%s-etcd-%s-%s\n' "$EIPD_CACHE" "$kubernetes" "$etcd" "$sum"
}

# cluster_version MODULE: the version that go.mod requires.
cluster_version() { awk -v module="$1" '$1 == module && $2 ~ /^v/ {print $2; exit}' "$EIPD_ROOT/hack/cluster/go.mod"; }

build_cluster() {
    local dir temporary program
    dir=$(cluster_dir)
    EIPD_CLUSTER_BIN=$dir
    [ -x "$dir/.complete" ] && return 0
    command -v go >/dev/null || die "Go is needed to build Kubernetes: see https://go.dev/doc/install"
    temporary=$(mktemp -d "$EIPD_CACHE/building.XXXXXX")
    build_go_program "$temporary" etcd go.etcd.io/etcd/server/v3
    for program in $CLUSTER_PROGRAMS; do
        build_go_program "$temporary" "$program" "k8s.io/kubernetes/cmd/$program"
    done
    install -m 755 /dev/null "$temporary/.complete"
    mkdir -p "$(dirname "$dir")"
    rm -rf "$dir"
    mv "$temporary" "$dir"
}

# build_go_program FOLDER NAME PACKAGE: a static program; without gitVersion kubelet and API server call themselves v0.0.0.
build_go_program() {
    local version minor package=k8s.io/component-base/version
    version=$(cluster_version k8s.io/kubernetes)
    minor=$(printf '%s' "$version" | cut -d. -f2)
    step "building $2" \
        env -C "$EIPD_ROOT/hack/cluster" CGO_ENABLED=0 GOFLAGS= GOWORK=off go build -buildvcs=false -trimpath -o "$1/$2" \
        -ldflags "-s -w -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor" "$3"
}
