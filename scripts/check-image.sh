#!/usr/bin/env bash
# Checks the image without a container engine: runs the Dockerfile's steps on this machine, then its start command as its user,
# without privileges or network, on a read-only root with node and its libraries, no shell, and a writable cache volume.
# It cannot check the base image, or the user that is created there.
# usage: scripts/check-image.sh        as root, after npm ci
set -euo pipefail
cd "$(dirname "$0")/.."

export source=https://github.com/example/tseliot version=1.2.3 commit=0123456789abcdef build=https://ci.example/1
version_json='{"source":"https://github.com/example/tseliot","version":"1.2.3","commit":"0123456789abcdef","build":"https://ci.example/1"}'
request='{"memoryMap": [["libstdc++.so.6", "0CEFB84AE0DEB3F9900D2B90425BB3280"]], "stacks": [[[0, 807316], [-1, 4096]]]}'
response='{"symbolicatedStacks":[["d_print_comp_inner (in libstdc++.so.6)","0x1000 (in <unknown>)"]],"knownModules":[true]}'

fail() {
  echo "image: $*" >&2
  exit 1
}

# Runs COPY and RUN of the first stage, in a folder instead of /app.
build() {
  local app=$1 instruction arguments words
  while read -r instruction arguments; do
    read -ra words <<< "$arguments"
    case $instruction in
      COPY) cp -r "${words[@]:0:${#words[@]}-1}" "$app/${words[-1]}" ;;
      RUN) (PATH=$PWD/node_modules/node/bin:$PATH && cd "$app" && sh -c "$arguments") ;;
    esac
  done < <(sed -n '/ AS build$/,/^FROM /p' Dockerfile)
  [ -z "$(find "$app" ! -type l \( ! -user root -o -perm /022 \) -print -quit)" ] || fail "/app is writable for users other than root"
}

# Prints the arguments of an instruction of the last stage.
setting() {
  tac Dockerfile | sed '/^FROM /q' | sed "s/^$1 //;t;d"
}

# Prints the words of a command in JSON form, one per line.
words_of() {
  setting "$1" | jq --raw-output '.[]'
}

# Mounts the root of a container at $1, with only node and its libraries from this machine.
mount_root() {
  local root=$1 node=node_modules/node/bin/node library
  mount -t tmpfs tmpfs "$root"
  mkdir -p "$root"/{app,dev,proc,symbols,tmp/cache,usr/bin}
  cp "$node" "$root/usr/bin/"
  while read -r library; do
    install -D "$library" "$root$library"
  done < <(ldd "$node" | grep --only-matching '/[^ ]*')
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --bind "$root/../app" "$root/app"
  mount -o remount,bind,ro "$root/app"
  mount --bind test/fixtures/conformance/symbols "$root/symbols"
  mount -t tmpfs -o "uid=${user%:*},gid=${user#*:}" tmpfs "$root/tmp/cache"
  mount -o remount,ro "$root"
}

run() {
  local root=$1/root log=$1/log user environment pid code=0
  user=$(setting USER)
  [ "$user" = 10001:10001 ] || fail "runs as $user"
  read -ra environment < <(setting ENV)
  mkdir "$root"
  mount_root "$root"
  ip link set lo up

  local container=(env -i "${environment[@]}" PATH=/usr/bin ELIOT_SYMBOLS_URLS=file:///symbols)
  container+=(setpriv --no-new-privs --clear-groups unshare --root="$root" --wd="$(setting WORKDIR)")
  container+=(--setgid="${user#*:}" --setuid="${user%:*}")
  local command healthcheck
  mapfile -t command < <(words_of ENTRYPOINT && words_of CMD)
  mapfile -t healthcheck < <(words_of 'HEALTHCHECK CMD')

  "${container[@]}" "${command[@]}" > "$log" &
  pid=$!
  until "${container[@]}" "${healthcheck[@]}"; do
    kill -0 "$pid" 2> /dev/null || fail "does not start: $(cat "$log")"
  done

  # Not 127.0.0.1: requests to a container come from outside.
  local ask=(curl --silent --show-error --fail) url=http://127.0.0.2:8000
  "${ask[@]}" --output /dev/null "$url/" || fail "has no page at /"
  "${ask[@]}" "$url/__version__" | cmp - <(echo "$version_json") || fail "has a different version.json"
  "${ask[@]}" "$url/symbolicate/v4" --data "$request" | cmp - <(printf %s "$response") || fail "responds differently"
  [ -n "$(find "$root/tmp/cache" -name '*.symc')" ] || fail "has no symcache in its volume"

  kill -TERM "$pid"
  wait "$pid" || code=$?
  [ "$code" = 0 ] || fail "exits with code $code after SIGTERM"
  ! grep '"Severity":[0-5],' "$log" >&2 || fail "logs warnings"
}

if [ "${1-}" = run ]; then
  run "$2"
else
  stage=$(mktemp -d)
  trap 'rm -rf --one-file-system "$stage"' EXIT
  chmod 755 "$stage"
  mkdir "$stage/app"
  build "$stage/app"
  # Separate namespaces, so that mounts and processes disappear with them.
  unshare --mount --net --pid --fork --kill-child "$0" run "$stage"
  echo "image: builds, starts, responds and stops correctly"
fi
