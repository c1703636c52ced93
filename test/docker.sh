#!/usr/bin/env bash
# Carries out the steps of the Dockerfile in clean folders, then starts what comes out of them as
# user 11211 through the entrypoint and asks the health check: for machines without a container
# engine. Stops it and starts it again, to see what it keeps. Needs npm and, to change the user, root;
# takes half a minute.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
base=$(mktemp -d)
server=
cleanup() {
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
  rm -rf "$base"
}
trap cleanup EXIT
chmod 755 "$base"

say() { printf '%s\n' "docker.sh: $*"; }
fail() { say "FAILED: $*"; exit 1; }

# The context: what git would give, less what .dockerignore leaves out (all but what it names).
mkdir "$base/context"
sed -n 's/^!//p' "$root/.dockerignore" | while read -r path; do
  git -C "$root" ls-files -z --cached --others --exclude-standard -- "$path"
done | (cd "$root" && tar --null --files-from=- -cf -) | tar -xf - -C "$base/context"

# FROM opens a stage, which is a folder that stands for /app; COPY copies; RUN runs in the build.
stage=
while read -r word rest; do
  case "$word" in
    FROM)
      case "$rest" in *' AS build') stage=build ;; *) stage=final ;; esac
      mkdir -p "$base/$stage"
      ;;
    COPY)
      read -ra words <<<"$rest"
      from="$base/context"
      if [[ ${words[0]} == --from=* ]]; then
        from="$base/${words[0]#--from=}"
        words=("${words[@]:1}")
      fi
      target="$base/$stage/${words[-1]}"
      for path in "${words[@]:0:${#words[@]}-1}"; do
        say "[$stage] COPY $path"
        cp -rT "$from/${path#/app/}" "$([ "${words[-1]}" = ./ ] && echo "$target$path" || echo "$target")"
      done
      ;;
    RUN)
      say "[$stage] RUN $rest"
      # In the last stage only what makes folders at the root, which is $base/root here.
      case "$stage $rest" in
        build\ *) ;;
        final\ mkdir\ *\ /*) rest="${rest% /*} $base/root/${rest##* /}" ;;
        *) fail "this script does not run this in the last stage" ;;
      esac
      mkdir -p "$base/root"
      (cd "$base/$stage" && bash -ec "$rest" </dev/null) || fail "$rest"
      ;;
  esac
done < <(grep -E '^(FROM|COPY|RUN) ' "$root/Dockerfile")

app="$base/final"
workdir="$base/root$(sed -n 's/^WORKDIR //p' "$root/Dockerfile" | tail -n 1)"
chmod -R go+rX "$app"
as_user=()
[ "$(id -u)" != 0 ] || as_user=(setpriv --reuid 11211 --regid 11211 --clear-groups)
enter() { (cd "$workdir" && exec "${as_user[@]}" "$app/docker/entrypoint.sh" "$@"); }

say "packages: $(cd "$app" && ls node_modules | wc -l), size: $(du -sh "$app" | cut -f1)"
[ ! -e "$app/node_modules/typescript" ] || fail "the compiler is still there"
[ "$(enter echo other command)" = 'other command' ] || fail "a command takes the place of the server"
enter -V || fail "-V goes to the server"
enter --print-config | grep -q '^bind = \["0.0.0.0:11211"\]$' || fail "binds all interfaces"

port=$((20000 + RANDOM % 10000))
start() {
  "${as_user[@]}" "$app/docker/entrypoint.sh" -p "$port" -m 16 &
  server=$!
  for _ in $(seq 50); do
    if "${as_user[@]}" node "$app/docker/healthcheck.mjs" "127.0.0.1:$port" 2>/dev/null; then return; fi
    kill -0 "$server" 2>/dev/null || fail "the server ended"
    sleep 0.1
  done
  fail "health check"
}
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

cd "$workdir"
start
say "runs as user $(stat -c %u "/proc/$server")"
[ "$(ask 'set kept 0 0 5\r\nhello\r\nversion\r\n')" = "STORED VERSION 1.6.45" ] || fail "set"
stop
say "left: $(ls "$workdir"/rat-memcached-data | tr '\n' ' ')"
start
[ "$(ask 'get kept\r\n')" = "VALUE kept 0 5 hello" ] || fail "the value is gone after a restart"
stop
cd /
! node "$app/docker/healthcheck.mjs" "127.0.0.1:$port" 2>/dev/null || fail "health check of nothing"
say "ok"
