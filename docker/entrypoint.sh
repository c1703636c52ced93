#!/bin/sh
# The entry of the image: arguments that begin with "-", or none, go to the server, and so does what
# follows the name of the program, ours or memcached's. The program's other commands work, too; anything
# else is a command to run instead.
#
# Inside a container the loopback interface reaches nobody, so unless an address is given (on the
# command line, in the environment or by a configuration file) the server binds all interfaces.
set -eu

program=$(dirname "$0")/../dist/bin/rat-memcached.js
named=
case "${1-}" in
  rat-memcached | memcached)
    named=yes
    shift
    ;;
esac
# exec: what runs is process 1 and gets the signals.
case "${1--}" in
  -*) ;;
  serve) shift ;;
  check-config | stats | dump | restore | bench) exec node "$program" "$@" ;;
  *)
    [ -n "$named" ] || exec "$@"
    exec node "$program" "$@"
    ;;
esac

has_address=${RAT_MEMCACHED_SERVER_BIND:-}${MEMCACHED_LISTEN_ADDRESS:-}${MEMCACHED_LISTEN_ADDRESS_FILE:-}
# Not quoted: a list of words.
for argument in "$@" ${MEMCACHED_EXTRA_FLAGS:-}; do
  case "$argument" in
    --bind | --bind=* | --listen | --listen=* | --unix-socket | --unix-socket=*) has_address=yes ;;
    --config | --config=*) has_address=yes ;;
    # -l and -s, also behind options without a value, as in -vl.
    -[ls]* | -[vkrMCLFXWASZ]*[ls]*) has_address=yes ;;
  esac
done
if [ -z "$has_address" ]; then
  set -- -l 0.0.0.0 "$@"
fi

exec node "$program" "$@"
