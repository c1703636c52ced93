#!/bin/sh
# Makes the certificates of the tests anew, valid for a hundred years. They protect nothing.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

new_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
}

# NAME SUBJECT: an authority.
authority() {
  new_key "$work/$1"
  openssl req -x509 -new -key "$work/$1.key" -subj "/CN=$2" -days 36500 -out "$1.pem"
}

# NAME SUBJECT AUTHORITY: a certificate of it, with its key in the same file.
certificate() {
  new_key "$work/$1"
  openssl req -new -key "$work/$1.key" -subj "/CN=$2" -out "$work/$1.csr"
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > "$work/$1.ext"
  openssl x509 -req -in "$work/$1.csr" -CA "$3.pem" -CAkey "$work/$3.key" -CAcreateserial \
    -days 36500 -extfile "$work/$1.ext" -out "$work/$1.crt"
  cat "$work/$1.crt" "$work/$1.key" > "$1.pem"
}

authority authority 'authority of the tests'
authority stranger 'authority that nobody trusts'
certificate server 'server' authority
certificate renewed 'renewed' authority
certificate client 'client' authority
certificate impostor 'impostor' stranger
rm -f ./*.srl
