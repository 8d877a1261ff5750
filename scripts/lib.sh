# Shared by the scripts of this folder: where Rust is, and how packages are installed.
# To be sourced, not run.

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $1"
  shift
  for line in "$@"; do say "       $line"; done
  exit 1
}

# rustup puts cargo where a login shell finds it, and other shells do not.
find_cargo() {
  if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    export PATH
  fi
}

# version_at_least HAVE WANT: compares dotted version numbers.
version_at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# newer_node FOLDER: what is installed there needs Node.js 20.19, and Debian 12 has 18; npm then brings another one
# for this folder alone, and runs its scripts with it.
newer_node() {
  version_at_least "$(node --version | tr -d v)" 20.19 || [ -x "$1/node_modules/.bin/node" ] ||
    npm --prefix "$1" install --no-save --no-audit --no-fund --ignore-scripts "node-linux-$(node -p process.arch)@22.21.1" >&2
}

# The oldest compiler that the workspace accepts, as Cargo.toml has it.
oldest_rust() {
  sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1
}

# missing_packages NAME...: those of Debian's packages that are not installed.
missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || echo "$name"
  done
}

# install_packages NAME...: installs what is missing, or dies naming the command that does.
install_packages() {
  local missing sudo=() command
  # shellcheck disable=SC2207 # package names hold no spaces
  missing=($(missing_packages "$@"))
  [ ${#missing[@]} -gt 0 ] || return 0
  command="apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "missing packages: ${missing[*]}" "install them as root: $command"
    sudo=(sudo)
    # Without a terminal sudo could not ask for the password: it must not wait for one.
    [ -t 0 ] || sudo=(sudo -n)
  fi
  say "installing: ${missing[*]}"
  # The list of packages may be absent or old, so a first failure is answered by an update.
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive $command >&2 </dev/null && return 0
  "${sudo[@]}" apt-get update >&2 </dev/null || true
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive $command >&2 </dev/null ||
    die "the packages could not be installed" "install them yourself: sudo $command"
}
