# Installs the Debian packages that are missing, with no service started and nothing removed. Sourced by setup.sh.

# Each line: the package, then a file that proves it is there (a command's name, or a path).
readonly PACKAGES="
containerd containerd
runc runc
containernetworking-plugins /usr/lib/cni/ptp
iproute2 ip
nftables nft
jq jq
openssl openssl
util-linux nsenter
musl-tools musl-gcc
python3-venv /usr/share/doc/python3-venv
ca-certificates /etc/ssl/certs/ca-certificates.crt
"

install_packages() {
    local missing
    missing=$(missing_packages)
    [ -z "$missing" ] && return 0
    [ "$(id -u)" -eq 0 ] || die "these packages are missing and only root can install them:" $missing
    command -v apt-get >/dev/null || die "these programs are missing and there is no apt-get:" $missing
    step "installing packages" apt_install $missing
}

missing_packages() {
    local package proof
    while read -r package proof; do
        [ -n "$package" ] || continue
        case $proof in
            /*) [ -e "$proof" ] ;;
            *) PATH=$PATH:/usr/sbin:/sbin command -v "$proof" >/dev/null ;;
        esac || printf '%s ' "$package"
    done <<<"$PACKAGES"
}

# apt_install PACKAGES: in a subshell, so that the policy file goes back to what it was whatever happens.
apt_install() (
    set -e
    policy=/usr/sbin/policy-rc.d kept=$(mktemp)
    if [ -e "$policy" ]; then cp -a "$policy" "$kept"; else rm -f "$kept"; fi
    trap 'if [ -e "$kept" ]; then mv -f "$kept" "$policy"; else rm -f "$policy"; fi' EXIT
    printf '#!/bin/sh\n# Written by eipd for the time of one apt-get: start no service.\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    install="apt-get install --no-remove --no-install-recommends -y -q"
    export DEBIAN_FRONTEND=noninteractive
    $install "$@" || { apt-get update -q && $install "$@"; }
)
