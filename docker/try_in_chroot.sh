#!/usr/bin/env bash
# Runs docker/Dockerfile without an engine: each stage is a bare Debian root, and its FROM, WORKDIR, ENV, COPY, RUN and USER
# lines are carried out as written. Then ENTRYPOINT and CMD are started in the last stage, HEALTHCHECK must pass, and the
# broker must stop cleanly on the STOPSIGNAL. What is tried is what is written: a line this script does not know is an error.
#
#   sudo docker/try_in_chroot.sh [COMMAND]     COMMAND runs in the last stage while the broker is up
#
# Needs root, debootstrap and rsync. It shares this machine's network, so the default ports must be free; package sources and
# certificates are taken from this machine. Roots are made below TRY_ROOT (default /var/tmp) and deleted at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

context=$PWD
command=${1:-}
place=$(mktemp -d "${TRY_ROOT:-/var/tmp}/try-docker.XXXXXX")
declare -A stage_root stage_base
root="" user=root workdir=/ volume="" health="" stop_signal=SIGTERM
environment=() entrypoint=() arguments=()

fail() { echo "try_in_chroot: $*" >&2; exit 1; }

cleanup() {
  local mounted
  for mounted in "$place"/*/; do
    umount -l "$mounted/proc" "$mounted/sys" "$mounted/dev" 2>/dev/null || true
  done
  rm -rf --one-file-system "$place"
}
trap cleanup EXIT

main() {
  [ "$(id -u)" -eq 0 ] || fail "needs root: sudo docker/try_in_chroot.sh"
  local tool
  for tool in debootstrap rsync; do
    command -v $tool >/dev/null || fail "needs $tool: apt-get install $tool"
  done
  local line keyword rest
  while IFS= read -r line; do
    keyword=${line%% *} rest=${line#* }
    echo "== $line"
    instruction "$keyword" "$rest"
  done < <(logical_lines docker/Dockerfile)
  du -sh --exclude=proc --exclude=sys --exclude=dev "$root" | awk '{print "image: " $1 " unpacked"}'
  run_image
}

# The Dockerfile without comments and empty lines, continued lines joined.
logical_lines() {
  sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' "$1" | sed -e ':a' -e '/\\$/{N;s/\\\n[[:space:]]*//;ba}'
}

instruction() {
  case $1 in
    FROM) start_stage $2 ;;
    WORKDIR) workdir=$2; mkdir -p "$root$workdir" ;;
    ENV) environment+=($2) ;;
    COPY) copy $2 ;;
    RUN) in_root bash -c "cd $workdir && $2" ;;
    USER) user=$2 ;;
    VOLUME) volume=$2; in_root test -d "$volume" ;;
    HEALTHCHECK) health=${2#*CMD } ;;
    STOPSIGNAL) stop_signal=$2 ;;
    ENTRYPOINT) words entrypoint "$2" ;;
    CMD) words arguments "$2" ;;
    EXPOSE) ;;
    *) fail "does not know the line '$1 $2'" ;;
  esac
}

# words NAME '["a", "b"]': puts a JSON array of strings into the array NAME.
words() {
  mapfile -t "$1" < <(python3 -c 'import json, sys; print("\n".join(json.loads(sys.argv[1])))' "$2")
}

# start_stage IMAGE [AS NAME]: a bare root of the Debian release in IMAGE's tag.
start_stage() {
  local image=$1 name=${3:-final} suite
  suite=$(sed -n 's/^debian:\([a-z]*\)\(-slim\)\?$/\1/p' <<<"$image")
  [ "$suite" ] || fail "only knows debian:<release>-slim as base, not '$image'"
  root="$place/$name"
  stage_root[$name]=$root
  user=root workdir=/ environment=()
  bare_root "$suite" "$root"
}

bare_root() {
  local suite=$1 target=$2 cache="${FRESH_CACHE:-/var/tmp/fresh-$1}"
  if [ ! -e "$cache/etc/debian_version" ]; then
    local mirror
    mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null | awk '/^URIs:/{print $2} /^deb /{print $2}' | head -n 1)
    rm -rf "$cache.part"
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$cache.part" "$mirror" >/dev/null
    mv "$cache.part" "$cache"
  fi
  mkdir -p "$target"
  cp -a "$cache/." "$target/"
  rm -f "$target/etc/apt/sources.list"
  rsync -a /etc/apt/sources.list* /etc/apt/apt.conf.d /etc/apt/auth.conf.d /etc/apt/keyrings "$target/etc/apt/" 2>/dev/null || true
  sed -i "s/bookworm/$suite/g" "$target"/etc/apt/sources.list "$target"/etc/apt/sources.list.d/* 2>/dev/null || true
  rsync -aL /etc/resolv.conf /etc/hosts "$target/etc/"
  rsync -aL /etc/ssl/certs/ "$target/etc/ssl/certs/"
  if [ -e /etc/pip.conf ]; then cp /etc/pip.conf "$target/etc/"; fi
  mount -t proc proc "$target/proc"
  mount --rbind /sys "$target/sys"
  mount --make-rslave "$target/sys"
  mount --rbind /dev "$target/dev"
  mount --make-rslave "$target/dev"
}

# copy [--from=STAGE] SOURCE.. TARGET; what .dockerignore names stays behind.
copy() {
  local from=$context
  local exclude=()
  mapfile -t exclude < <(sed "s,^,--exclude=/," .dockerignore)
  if [[ $1 == --from=* ]]; then
    from=${stage_root[${1#--from=}]} exclude=()
    shift
  fi
  local target="${*: -1}" source
  [[ $target == /* ]] || target="$workdir/$target"
  for source in "${@:1:$#-1}"; do
    if [ -d "$from/$source" ]; then source="$source/"; fi
    rsync -a "${exclude[@]}" "$from/$source" "$root$target"
  done
}

in_root() {
  local passed
  mapfile -t passed < <(env | grep -E '^(PIP_(CERT|INDEX_URL|EXTRA_INDEX_URL)|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|SSL_CERT_FILE)=' || true)
  chroot --userspec="$user" "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    "${passed[@]}" "${environment[@]}" "$@"
}

# Starts what the image starts, waits until it is healthy, runs COMMAND, stops it.
run_image() {
  local log="$place/broker.log" pid waited=0 status=0
  in_root bash -c "cd $workdir && echo \$\$ >/tmp/broker.pid && exec \"\$@\"" start "${entrypoint[@]}" "${arguments[@]}" >"$log" 2>&1 &
  local job=$!
  until in_root sh -c "$health" 2>/dev/null; do
    kill -0 $job 2>/dev/null || { cat "$log" >&2; fail "the broker ended by itself"; }
    [ $((waited += 1)) -le 60 ] || { cat "$log" >&2; fail "the broker was not healthy after 60 s"; }
    sleep 1
  done
  echo "== healthy"
  if [ "$command" ]; then in_root bash -c "cd $workdir && $command" || status=$?; fi
  pid=$(cat "$root/tmp/broker.pid")
  kill -s "${stop_signal#SIG}" "$pid"
  wait $job || fail "the broker did not stop cleanly: $(tail -n 5 "$log")"
  [ $status -eq 0 ] || fail "'$command' ended with $status"
  echo "try_in_chroot: every line of docker/Dockerfile works; the broker started, was healthy and stopped cleanly"
}

main
