# Builds through the API, so that every client's test asks the same of the builder. Source it after engine.bash.
#
#   CTX   the folder that is the context; a Dockerfile comes from standard input where `dockerfile` is called

context() { CTX=$BATS_TEST_TMPDIR/ctx; rm -rf "$CTX"; mkdir -p "$CTX"; }
dockerfile() { cat >"$CTX/${1:-Dockerfile}"; }
escape() { jq -rn --arg text "$1" '$text | @uri'; }
# build [key=value…]: the answer's rows; the context goes as a tar
build() {
  local query= pair
  for pair in "$@"; do query+="&${pair%%=*}=$(escape "${pair#*=}")"; done
  tar -C "$CTX" -c . | curl -sS --unix-socket "$ENGINE/sock" -X POST -H 'Content-Type: application/x-tar' \
    "${BUILD_HEADERS[@]}" --data-binary @- "http://x/build?${query#&}"
}
BUILD_HEADERS=()
# What the rows say, as text; fails where the last one is an error, whose message is then the last line.
said() { jq -rj '.stream // (if .error then "ERROR " + .error + "\n" elif .message then "ERROR " + .message + "\n" else empty end)'; }
built() { # build, and show what was said; false where it failed
  local text; text=$(build "$@" | said); printf '%s\n' "$text"
  [[ $text != *"ERROR "* ]]
}
in_image() { client run --rm --network none --entrypoint sh "$1" -c "$2"; }
builder_prune() { curl -gsS --unix-socket "$ENGINE/sock" -X POST "http://x/build/prune?$1"; }
