# Installs the Debian packages that are missing, with no service started and nothing removed. Sourced by setup.sh.

# Each line: a package, and what proves that it is there: a command's name, a path, or python:MODULE.
readonly BASE_PACKAGES="
openssl openssl
ca-certificates /etc/ssl/certs/ca-certificates.crt
"
readonly BUILD_PACKAGES="
gcc cc
musl-tools musl-gcc
"
readonly SDK_PACKAGES="
python3 python3
python3-venv python:ensurepip
"
readonly NODE_PACKAGES="
containerd containerd
runc runc
containernetworking-plugins /usr/lib/cni/ptp
iproute2 ip
nftables nft
util-linux nsenter
jq jq
"

# install_packages LIST: root installs what is missing; anybody else is told.
install_packages() {
    local missing
    missing=$(missing_packages "$1")
    [ -z "$missing" ] && return 0
    [ "$(id -u)" -eq 0 ] || die "packages are missing that only root can install: $missing"
    command -v apt-get >/dev/null || die "programs are missing and there is no apt-get to install them: $missing"
    # shellcheck disable=SC2086  # a list of words
    step "installing packages" apt_install $missing
}

missing_packages() {
    local package proof
    while read -r package proof; do
        [ -n "$package" ] || continue
        case $proof in
            /*) [ -e "$proof" ] ;;
            python:*) python3 -c "import ${proof#python:}" 2>/dev/null ;;
            *) PATH=$PATH:/usr/sbin:/sbin command -v "$proof" >/dev/null ;;
        esac || printf '%s ' "$package"
    done <<<"$1"
}

# apt_install PACKAGES: in a subshell, so that the policy file goes back to what it was whatever happens.
apt_install() (
    set -e
    policy=/usr/sbin/policy-rc.d kept=$(mktemp)
    if [ -e "$policy" ]; then cp -a "$policy" "$kept"; else rm -f "$kept"; fi
    trap 'if [ -e "$kept" ]; then mv -f "$kept" "$policy"; else rm -f "$policy"; fi' EXIT
    printf '#!/bin/sh\n# Written by eipd for the time of one apt-get: start no service.\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    export DEBIAN_FRONTEND=noninteractive
    install=(apt-get install --no-remove --no-install-recommends -y -q)
    "${install[@]}" "$@" || { apt-get update -q && "${install[@]}" "$@"; }
)
