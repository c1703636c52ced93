#!/bin/sh
# The entry of the image: arguments that begin with "-", or none, go to the server.
#
# Inside a container the loopback interface reaches nobody, so unless an address is given (on the
# command line, in the environment or by a configuration file) the server binds all interfaces.
set -eu

here=$(dirname "$0")

case "${1--}" in
  -*) ;;
  rat-memcached) shift ;;
  *) exec "$@" ;;
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

# exec: the server is process 1 and gets the signals.
exec node "$here/../dist/bin/rat-memcached.js" "$@"
