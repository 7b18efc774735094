# Shared by ./demo and ./check: says what it does, and installs what is missing. Sourced, not run.

if [ -t 2 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
say() { printf '%s==> %s%s\n' "$bold" "$*" "$plain" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 4; }

# Installs the Debian packages that are named in ci/apt-packages.txt and are not there yet. Twice, if it has to be: apt removes
# what conflicts with what it installs, and that may be one of them in a version from elsewhere.
install_packages() {
    install_missing
    [ "$installed_some" = no ] || install_missing
}

install_missing() {
    local wanted missing=() package sudo=()
    installed_some=no
    mapfile -t wanted < <(sed 's/#.*//' ci/apt-packages.txt | tr -d ' \t' | grep .)
    for package in "${wanted[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        say "Debian packages: all ${#wanted[@]} are there"
        return
    fi
    installed_some=yes
    say "Debian packages: installing ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "installing packages needs root: run 'apt-get install ${missing[*]}' as root first"
        sudo=(sudo)
    fi
    "${sudo[@]}" apt-get update -qq || die 'apt-get update failed'
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null \
        || die "apt-get could not install ${missing[*]}"
}

# Builds the program with the one profile that tests and releases use.
build_slipway() {
    command -v cargo >/dev/null || die 'there is no cargo: install Rust first (rustup.rs)'
    say 'building slipway'
    cargo build --release --locked -p slipway
}
