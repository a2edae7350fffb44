#!/usr/bin/env bash
# Makes the .deb (or takes the given one) and tries it on this machine: installs it, runs the service's own command line as its
# user, uses the broker, builds a program against the SDK in it with the distribution's own compiler, by pkg-config and by CMake,
# stops the broker, removes and purges the package. Meant for a throw-away machine or root without systemd; needs root and the
# default ports.
#   tools/package/try.sh [DEB]
set -euo pipefail
cd "$(dirname "$0")/../.."

step() { echo "== $*"; }
fail() { echo "try: $*" >&2; exit 1; }

main() {
  [ "$(id -u)" -eq 0 ] || fail "needs root"
  local package=${1:-}
  if [ -z "$package" ]; then
    step "build and package"
    build_package
    package=$(echo build/release/sluice_*.deb)
  fi
  ls -l "$package"
  dpkg-deb -f "$package" Depends

  step "install"
  apt-get install -y -qq --no-install-recommends "$(realpath "$package")" >/dev/null
  [ "$(command -v sluice)" = /usr/bin/sluice ] || fail "sluice is not at /usr/bin/sluice"
  if ldd /usr/bin/sluice | grep -E 'not found|/build/'; then fail "a library is missing or comes from the build tree"; fi
  [ "$(stat -c '%U %a' /var/lib/sluice)" = "sluice 750" ] || fail "/var/lib/sluice is not the user's own"
  sluice --help | grep -q '^Usage: sluice' || fail "there is no help"
  local file
  for file in /etc/sluice/sluice.toml /usr/lib/systemd/system/sluice.service \
    /usr/share/bash-completion/completions/sluice /usr/share/zsh/vendor-completions/_sluice; do
    [ -s $file ] || fail "$file is not there"
  done

  step "run as the service does"
  run_service

  step "a changed configuration survives"
  echo "# mine" >>/etc/sluice/sluice.toml
  apt-get install -y -qq --reinstall "$(realpath "$package")" >/dev/null
  tail -n 1 /etc/sluice/sluice.toml | grep -q '^# mine$' || fail "the configuration was replaced"

  step "remove, then purge"
  apt-get remove -y -qq sluice >/dev/null
  [ -d /var/lib/sluice/data ] || fail "removing took the records away"
  apt-get purge -y -qq sluice >/dev/null
  if [ -e /var/lib/sluice ] || [ -e /etc/sluice ] || getent passwd sluice; then fail "purging left something behind"; fi
  echo "try: the package installs, runs and leaves cleanly"
}

build_package() {
  tools/setup.sh build package
  cmake --preset release -DSLUICE_BUILD_TESTS=OFF >/dev/null
  cmake --build --preset release >/dev/null
  (cd build/release && rm -f sluice_*.deb && cpack -G DEB >/dev/null)
}

# The unit's own command, user and directory.
run_service() {
  local unit=/usr/lib/systemd/system/sluice.service command log=/tmp/sluice-package-try.log
  command=$(sed -n 's/^ExecStart=//p' $unit)
  setpriv --reuid=sluice --regid=sluice --clear-groups env -C /var/lib/sluice $command >$log 2>&1 &
  local broker=$! waited=0
  until sluice stream list >/dev/null 2>&1; do
    kill -0 $broker 2>/dev/null || { cat $log >&2; fail "the broker ended by itself"; }
    [ $((waited += 1)) -le 300 ] || { cat $log >&2; fail "the broker did not answer within 30 s"; }
    sleep 0.1
  done
  sluice stream create first --shards 2
  echo '{"hello": "world"}' | sluice put first
  [ "$(sluice get first)" = '{"hello": "world"}' ] || fail "the record did not come back"
  step "build against the SDK"
  build_examples
  kill $broker
  wait $broker || { cat $log >&2; fail "the broker did not stop cleanly"; }
  [ -d /var/lib/sluice/data ] || fail "the records are not in /var/lib/sluice/data"
}

build_examples() {
  local work=/tmp/sluice-sdk-try
  rm -rf $work
  apt-get install -y -qq --no-install-recommends g++ make cmake pkgconf >/dev/null
  g++ -std=c++23 client/examples/produce.cc -o /tmp/sluice-sdk-produce $(pkg-config --cflags --libs sluice-client)
  cmake -S client/examples -B $work >/dev/null
  cmake --build $work >/dev/null
  /tmp/sluice-sdk-produce 127.0.0.1:7420 sdk 100
  [ "$($work/consume 127.0.0.1:7420 sdk 100 | wc -l)" = 100 ] || fail "the examples do not work"
  rm -rf $work /tmp/sluice-sdk-produce
}

main "$@"
