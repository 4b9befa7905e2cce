# wherry-registry on loopback for a test file. Source it, call servers_open in setup_file and servers_close in teardown_file.
#
#   server_start NAME [FLAG...]   starts one; $NAME (exported) is its host:port, $SERVERS/NAME its folder (data, log)
#   server_end NAME [SIGNAL]      ends it and waits; server_again NAME starts it with the same port, flags and data
#   ask METHOD PATH [CURL...]     a request to $R; $STATUS, $SERVERS/head (lower-case names), $SERVERS/body
#   header NAME                   of that answer
#   digest FILE                   sha256:…
#   put_blob REPOSITORY FILE      pushes it in one request and prints its digest

PROGRAMS=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/${BUILD:-build}

servers_open() {
  SERVERS=$(mktemp -d /tmp/wherry-registry-test.XXXXXX)
  export SERVERS
}

server_launch() { # NAME: with the arguments in its folder
  local folder=$SERVERS/$1 arguments
  mapfile -t arguments <"$folder/arguments"
  # shellcheck disable=SC2046
  "$PROGRAMS/wherry-registry" serve "${arguments[@]}" >>"$folder/log" 2>&1 3>&- $(cat "$folder/redirect" 2>/dev/null) &
  echo $! >"$folder/pid"
  local i
  for i in $(seq 400); do
    grep -q "Listening on ${!1}" <(tail -n +"$2" "$folder/log") && return 0
    kill -0 "$(cat "$folder/pid")" 2>/dev/null || return 1
    sleep 0.02
  done
  return 1
}

server_start() {
  local name=$1 folder=$SERVERS/$1 try; shift
  mkdir -p "$folder"
  for try in 1 2 3 4 5; do
    export "$name=127.0.0.1:$((12000 + RANDOM % 8000))"
    printf '%s\n' --data "$folder/data" -H "tcp://${!name}" "$@" >"$folder/arguments"
    server_launch "$name" 1 && return 0
    grep -q 'address already in use' "$folder/log" || break
  done
  cat "$folder/log" >&2
  return 1
}

server_again() { server_launch "$1" $(($(wc -l <"$SERVERS/$1/log") + 1)); }

server_end() {
  local pid; pid=$(cat "$SERVERS/$1/pid")
  kill "-${2:-TERM}" "$pid" 2>/dev/null || true
  local i
  for i in $(seq 600); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.02
  done
  return 1
}

descriptors() { ls "/proc/$(cat "$SERVERS/$1/pid")/fd" | wc -l; }
threads() { ls "/proc/$(cat "$SERVERS/$1/pid")/task" | wc -l; }

# Ends all; fails for sanitizers' complaints, errors in the log, and for what a server that has ended leaves behind.
servers_close() {
  local folder status=0
  for folder in "$SERVERS"/*/; do
    folder=${folder%/}
    [ -e "$folder/pid" ] || continue
    server_end "${folder##*/}" || { echo "$folder did not end"; status=1; }
    [ ! -e "$folder/data/control" ] || { echo "$folder left its socket"; status=1; }
    [ -z "$(ls "$folder/data/uploads" 2>/dev/null)" ] || [ -e "$folder/uploads-stay" ] || { echo "$folder left uploads"; status=1; }
    if grep -E 'AddressSanitizer|LeakSanitizer|runtime error:|level=error' "$folder/log"; then status=1; fi
  done
  if pgrep -f -a "$SERVERS" | grep -v -e bats -e pgrep; then echo 'processes are left (above)'; status=1; fi
  rm -rf "$SERVERS"
  return $status
}

ask() {
  local method=$1 path=$2; shift 2
  local how=(-X "$method"); [ "$method" != HEAD ] || how=(-I)
  STATUS=$(curl -s --path-as-is "${how[@]}" -o "$SERVERS/body" -D "$SERVERS/raw" -w '%{http_code}' "http://$R$path" "$@") || true
  [ "$method" != HEAD ] || : >"$SERVERS/body"
  tr -d '\r' <"$SERVERS/raw" | sed 's/^\([^:]*\):/\L\1:/' >"$SERVERS/head"
}
header() { sed -n "s/^$1: //p" "$SERVERS/head" | tail -n 1; }
digest() { echo "sha256:$(sha256sum "$1" | cut -d' ' -f1)"; }
size() { stat -c %s "$1"; }
body() { cat "$SERVERS/body"; }
code() { jq -r '.errors[0].code' "$SERVERS/body"; } # of the error that was answered

put_blob() {
  local name; name=$(digest "$2")
  ask POST "/v2/$1/blobs/uploads/?digest=$name" -H 'Content-Type: application/octet-stream' --data-binary "@$2"
  [ "$STATUS" = 201 ] && echo "$name"
}

begin_upload() { # REPOSITORY: prints where it is
  ask POST "/v2/$1/blobs/uploads/" -H 'Content-Length: 0'
  [ "$STATUS" = 202 ] && header location
}

OCI=application/vnd.oci.image.manifest.v1+json
INDEX=application/vnd.oci.image.index.v1+json

# REPOSITORY FILE [JQ]: pushes a config and a layer and writes a manifest for them, changed by a jq program.
make_manifest() {
  printf '{"architecture":"amd64","os":"linux","made":"%s"}' "$2" >"$SERVERS/config"
  printf 'layer of %s' "$2" >"$SERVERS/layer"
  local config layer
  config=$(put_blob "$1" "$SERVERS/config") && layer=$(put_blob "$1" "$SERVERS/layer") || return 1
  jq -nc --arg type "$OCI" --arg config "$config" --argjson config_size "$(size "$SERVERS/config")" --arg layer "$layer" \
    --argjson layer_size "$(size "$SERVERS/layer")" '{schemaVersion: 2, mediaType: $type,
      config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $config, size: $config_size},
      layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $layer, size: $layer_size}]}' |
    jq -c "${3:-.}" | tr -d '\n' >"$2"
}

put_manifest() { # REPOSITORY REFERENCE FILE [TYPE]
  ask PUT "/v2/$1/manifests/$2" -H "Content-Type: ${4:-$OCI}" --data-binary "@$3"
}
