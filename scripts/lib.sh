# Shared by the scripts in this folder: change to the root of the tree, install packages, build. Sourced, never run.

here=$PWD # working directory of the caller, for paths given as arguments
script=$(realpath -- "$0")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The comment at the head of the script.
usage() {
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$script"
}

# help_if_wanted ARGUMENT...: prints the usage and ends if the first argument asks for it.
help_if_wanted() {
  [[ ${1-} != -h && ${1-} != --help ]] || { usage; exit 0; }
}

installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# The packages of the named groups that are not installed, one per line.
missing_packages() {
  local group package program wanted=" $* "
  while read -r group package program; do
    [[ $wanted == *" $group "* ]] || continue
    [[ -n $program ]] && command -v "$program" >/dev/null && continue
    installed "$package" || printf '%s\n' "$package"
  done < <(grep -v '^#' scripts/packages) | sort -u
}

# Needs root and the network only if a package is missing: usually only in the first run.
need_packages() {
  command -v dpkg-query >/dev/null || fail "this needs Debian 12; elsewhere install the packages in scripts/packages"
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "missing packages: ${missing[*]}; become root or install sudo, then try again"
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q && install_quiet "${missing[@]}"
}

# The services that start at boot, one per line.
boot_services() {
  { find /etc/systemd/system/multi-user.target.wants -name '*.service' -printf '%f\n' 2>/dev/null || true; } | sort
}

# Installs without starting services, now or at boot. Debian asks policy-rc.d before it starts a service, and 101 means
# no. Afterwards the services that this installation enabled are disabled; those that were enabled before stay as they
# are. It runs in a subshell, which removes our policy-rc.d when it ends, also after an error.
install_quiet() (
  policy=/usr/sbin/policy-rc.d code=0
  if [[ ! -e $policy ]]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
  fi
  before=$(boot_services)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" || code=$?
  mapfile -t enabled < <(comm -13 <(printf '%s\n' "$before") <(boot_services))
  if ((${#enabled[@]})) && command -v systemctl >/dev/null; then
    "${as_root[@]}" systemctl disable --quiet "${enabled[@]}" || code=$?
  fi
  exit "$code"
)

# configure PRESET: twice if the compiler of the preset has changed, because CMake then drops the other settings of the
# preset, and would build without sanitizers.
configure() {
  local said
  said=$(cmake --preset "$1" 2>&1) || { echo "$said"; return 1; }
  [[ $said != *"require your cache to be deleted"* ]] || cmake --preset "$1"
}

# One line that follows the steps of ninja, on a terminal; else a line every 30 s. Nothing if there is nothing to do.
show_steps() {
  local line started=$SECONDS shown=0 last=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$1"
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] && ((BASH_REMATCH[2] > 1)) || continue
    if [[ -t 1 ]]; then
      printf '\rbuilding: step %s of %s, %s s ' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" $((SECONDS - started))
      shown=1
    elif ((SECONDS - last >= 30 || BASH_REMATCH[1] == 1)); then
      printf 'building: step %s of %s, %s s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" $((SECONDS - started))
      last=$SECONDS
    fi
  done
  ((shown == 0)) || printf '\n'
}

# build_shown PRESET [TARGET...]: like build_preset, with one line of progress; the output of the compiler is shown if
# the build fails.
build_shown() {
  local log=build/build-$1.log
  mkdir -p build
  : >"$log"
  [[ -e build/$1/build.ninja ]] || echo "the first build takes about five minutes on 2 cores, later ones a few seconds"
  (set -o pipefail; build_preset "$@" 2>&1 | show_steps "$log") || { tail -n 60 "$log"; fail "the build failed: $log"; }
}

# build_preset PRESET [TARGET...]: configures and builds into build/PRESET.
build_preset() {
  local preset=$1
  shift
  configure "$preset" &&
    cmake --build "build/$preset" --parallel "$(nproc)" ${1:+--target "$@"}
}
