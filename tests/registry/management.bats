# wherry-registry: the clauses of distribution-spec 1.1, "Content Management"; garbage collection; what settings refuse.
load ../lib/registry_server
bats_require_minimum_version 1.5.0

setup_file() { servers_open && server_start R --upload-expiry 1s --gc-interval 0; }
teardown_file() { servers_close; }

gc() { "$PROGRAMS/wherry-registry" gc --data "$SERVERS/R/data" "$@"; }
blobs() { ls "$SERVERS/R/data/blobs" | wc -l; }
wait_until() { local i; for i in $(seq 200); do ! "$@" || return 0; sleep 0.05; done; return 1; }

@test "deleting a tag leaves its manifest; deleting a manifest takes its tags" {
  make_manifest gone/one "$SERVERS/m1"; name=$(digest "$SERVERS/m1")
  for tag in v1 v2 v3; do put_manifest gone/one $tag "$SERVERS/m1"; done
  ask DELETE /v2/gone/one/manifests/v1
  [ "$STATUS" = 202 ]
  ask GET /v2/gone/one/manifests/v1
  [ "$STATUS" = 404 ]
  ask GET "/v2/gone/one/manifests/$name"
  [ "$STATUS" = 200 ]
  ask DELETE /v2/gone/one/manifests/v1
  [ "$STATUS" = 404 ] && [ "$(code)" = MANIFEST_UNKNOWN ]
  ask DELETE "/v2/gone/one/manifests/$name"
  [ "$STATUS" = 202 ]
  for reference in v2 v3 "$name"; do
    ask GET "/v2/gone/one/manifests/$reference"
    [ "$STATUS" = 404 ] && [ "$(code)" = MANIFEST_UNKNOWN ]
  done
  ask GET /v2/gone/one/tags/list
  [ "$(jq -c .tags "$SERVERS/body")" = '[]' ]
  ask DELETE "/v2/gone/one/manifests/$name"
  [ "$STATUS" = 404 ]
}

@test "deleting a blob takes it from one repository only" {
  echo shared >"$SERVERS/shared"
  name=$(put_blob gone/left "$SERVERS/shared"); put_blob gone/right "$SERVERS/shared"
  ask DELETE "/v2/gone/left/blobs/$name"
  [ "$STATUS" = 202 ]
  ask GET "/v2/gone/left/blobs/$name"
  [ "$STATUS" = 404 ]
  ask GET "/v2/gone/right/blobs/$name"
  [ "$STATUS" = 200 ]
  ask DELETE "/v2/gone/left/blobs/$name"
  [ "$STATUS" = 404 ] && [ "$(code)" = BLOB_UNKNOWN ]
}

@test "what nothing refers to is collected, while the server runs and while it does not" {
  gc --grace 0s
  make_manifest keep/it "$SERVERS/m1" && put_manifest keep/it v1 "$SERVERS/m1"
  before=$(blobs)
  seq 100 >"$SERVERS/lost"; lost=$(put_blob keep/it "$SERVERS/lost")
  [ "$(blobs)" = $((before + 1)) ]
  # Younger than the grace, it stays.
  gc --grace 1h
  [ "$(blobs)" = $((before + 1)) ]
  run -0 gc --grace 0s
  [ "$output" = 'removed 0 manifests, 1 links of repositories to blobs, 1 blobs of 292 bytes' ]
  [ "$(blobs)" = "$before" ]
  ask HEAD "/v2/keep/it/blobs/$lost"
  [ "$STATUS" = 404 ]
  for blob in $(jq -r '.config.digest, .layers[].digest' "$SERVERS/m1"); do
    ask HEAD "/v2/keep/it/blobs/$blob"
    [ "$STATUS" = 200 ]
  done
  # A file that no row knows is from a crash.
  touch "$SERVERS/R/data/blobs/$(printf '%064d' 7)"
  put_blob keep/it "$SERVERS/lost"
  server_end R
  run -0 gc --grace 0s
  [ "$(blobs)" = "$before" ]
  server_again R
  ask GET /v2/keep/it/manifests/v1
  [ "$STATUS" = 200 ]
  # A repository that holds nothing is none any more.
  ask GET /v2/_catalog
  [ "$(jq -c .repositories "$SERVERS/body")" = '["keep/it"]' ]
}

@test "untagged manifests go when that is wished, but not what a tag leads to" {
  make_manifest keep/tree "$SERVERS/child" && put_manifest keep/tree "$(digest "$SERVERS/child")" "$SERVERS/child"
  jq -nc --arg type "$INDEX" --arg child "$OCI" --arg digest "$(digest "$SERVERS/child")" --argjson size "$(size "$SERVERS/child")" \
    '{schemaVersion: 2, mediaType: $type, manifests: [{mediaType: $child, digest: $digest, size: $size}]}' >"$SERVERS/index"
  put_manifest keep/tree all "$SERVERS/index" "$INDEX"
  make_manifest keep/tree "$SERVERS/note" ".subject = {mediaType: \"$OCI\", digest: \"$(digest "$SERVERS/child")\", size: 1}"
  put_manifest keep/tree "$(digest "$SERVERS/note")" "$SERVERS/note"
  make_manifest keep/tree "$SERVERS/old" && put_manifest keep/tree "$(digest "$SERVERS/old")" "$SERVERS/old"
  gc --grace 0s
  ask GET "/v2/keep/tree/manifests/$(digest "$SERVERS/old")"
  [ "$STATUS" = 200 ]
  run -0 gc --grace 0s --untagged
  [[ $output == 'removed 1 manifests, 2 links '*' 2 blobs '* ]]
  ask GET "/v2/keep/tree/manifests/$(digest "$SERVERS/old")"
  [ "$STATUS" = 404 ]
  for file in index child note; do
    ask GET "/v2/keep/tree/manifests/$(digest "$SERVERS/$file")"
    [ "$STATUS" = 200 ]
  done
  ask DELETE /v2/keep/tree/manifests/all
  run -0 gc --grace 0s --untagged
  [[ $output == 'removed 3 manifests,'* ]]
}

@test "who asks for an old blob may still refer to it" {
  make_manifest age/one "$SERVERS/asked"; make_manifest age/one "$SERVERS/ignored"
  server_end R
  python3 -c 'import sqlite3, sys; base = sqlite3.connect(sys.argv[1]); base.execute("UPDATE held SET touched = 0"); base.commit()' "$SERVERS/R/data/registry.db"
  server_again R
  for blob in $(jq -r '.config.digest, .layers[].digest' "$SERVERS/asked"); do
    ask HEAD "/v2/age/one/blobs/$blob"
    [ "$STATUS" = 200 ]
  done
  gc --grace 1m
  put_manifest age/one asked "$SERVERS/asked"
  [ "$STATUS" = 201 ]
  put_manifest age/one ignored "$SERVERS/ignored"
  [ "$STATUS" = 404 ] && [ "$(code)" = MANIFEST_BLOB_UNKNOWN ]
}

@test "pushes while garbage is collected without any grace: what is acknowledged is whole" {
  ( while [ ! -e "$SERVERS/enough" ]; do gc --grace 0s >>"$SERVERS/collections" || echo failed >>"$SERVERS/collections"; done ) 3>&- &
  collector=$!
  for number in $(seq 40); do
    make_manifest "busy/n$((number % 3))" "$SERVERS/busy$number" || continue
    put_manifest "busy/n$((number % 3))" "t$number" "$SERVERS/busy$number"
    [ "$STATUS" = 201 ] || { [ "$STATUS" = 404 ] && [ "$(code)" = MANIFEST_BLOB_UNKNOWN ]; }
    [ "$STATUS" != 201 ] || touch "$SERVERS/acknowledged-$number"
  done
  touch "$SERVERS/enough"; wait $collector
  [ "$(grep -c removed "$SERVERS/collections")" -gt 2 ] && [ "$(grep -c failed "$SERVERS/collections")" = 0 ]
  for file in "$SERVERS"/acknowledged-*; do
    [ -e "$file" ] || continue # all were overtaken
    number=${file##*-}
    ask GET "/v2/busy/n$((number % 3))/manifests/t$number"
    [ "$STATUS" = 200 ]
    for blob in $(jq -r '.config.digest, .layers[].digest' "$SERVERS/body"); do
      ask GET "/v2/busy/n$((number % 3))/blobs/$blob"
      [ "$STATUS" = 200 ] && [ "$(digest "$SERVERS/body")" = "$blob" ]
    done
  done
}

@test "an upload that nobody goes on with is dropped" {
  place=$(begin_upload late/one)
  ask PATCH "$place" --data-binary abc
  [ "$STATUS" = 202 ]
  nothing_is_left() { [ -z "$(ls "$SERVERS/R/data/uploads")" ]; }
  wait_until nothing_is_left
  ask GET "$place"
  [ "$STATUS" = 404 ] && [ "$(code)" = BLOB_UPLOAD_UNKNOWN ]
}

@test "read-only, and without deleting" {
  server_end R
  printf '%s\n' --read-only >>"$SERVERS/R/arguments"
  server_again R
  ask GET /v2/keep/it/manifests/v1
  [ "$STATUS" = 200 ]
  for request in 'POST /v2/keep/it/blobs/uploads/' 'PUT /v2/keep/it/manifests/v1' 'DELETE /v2/keep/it/manifests/v1' "DELETE /v2/keep/it/blobs/sha256:$(printf '%064d' 1)"; do
    ask $request -H 'Content-Length: 0'
    [ "$STATUS" = 405 ] && [ "$(code)" = UNSUPPORTED ]
  done
  server_end R
  sed -i 's/--read-only/--delete=false/' "$SERVERS/R/arguments"
  server_again R
  ask DELETE /v2/keep/it/manifests/v1
  [ "$STATUS" = 405 ] && [ "$(code)" = UNSUPPORTED ]
  place=$(begin_upload keep/it)
  ask DELETE "$place"
  [ "$STATUS" = 204 ]
  sed -i '/--delete=false/d' "$SERVERS/R/arguments"
  server_end R && server_again R
}

@test "quotas of a repository and of all" {
  server_start Q --quota 1000 --quota-total 1500
  R=$Q
  head -c 600 /dev/urandom >"$SERVERS/q1"; head -c 600 /dev/urandom >"$SERVERS/q2"; head -c 600 /dev/urandom >"$SERVERS/q3"
  put_blob quota/one "$SERVERS/q1"
  refused() { [ "$STATUS" = 403 ] && [ "$(code)" = DENIED ] && [[ $(jq -r '.errors[0].message' "$SERVERS/body") == *"quota exceeded: $1"* ]]; }
  ask POST "/v2/quota/one/blobs/uploads/?digest=$(digest "$SERVERS/q2")" --data-binary "@$SERVERS/q2"
  refused 'repository quota/one may hold 1000 bytes'
  # Without a length it is found out at the end; a mount and a chunk count as well.
  ask POST "/v2/quota/one/blobs/uploads/?digest=$(digest "$SERVERS/q2")" -H 'Transfer-Encoding: chunked' --data-binary "@$SERVERS/q2"
  refused 'repository quota/one'
  put_blob quota/two "$SERVERS/q2"
  ask POST "/v2/quota/two/blobs/uploads/?mount=$(digest "$SERVERS/q1")&from=quota/one" -H 'Content-Length: 0'
  refused 'repository quota/two'
  ask POST "/v2/quota/three/blobs/uploads/?digest=$(digest "$SERVERS/q3")" --data-binary "@$SERVERS/q3"
  refused 'the registry may hold 1500 bytes'
  place=$(begin_upload quota/three)
  ask PATCH "$place" --data-binary "@$SERVERS/q3"
  refused 'the registry'
  ask DELETE "$place"
  # What is collected makes room.
  ask DELETE "/v2/quota/one/blobs/$(digest "$SERVERS/q1")"
  "$PROGRAMS/wherry-registry" gc --data "$SERVERS/Q/data" --grace 0s
  put_blob quota/three "$SERVERS/q3"
  server_end Q
}

@test "metrics for Prometheus" {
  port=$((20000 + RANDOM % 8000))
  server_start M --metrics-addr "127.0.0.1:$port"
  R=$M
  put_blob metric/one "$SERVERS/shared"; ask GET /v2/nothing/manifests/x
  run -0 curl -s "http://127.0.0.1:$port/metrics"
  for line in 'requests_total{status="2xx"} 1' 'requests_total{status="4xx"} 1' 'uploads_finished_total 1' 'blobs 1' 'repositories 1' 'stored_bytes 7' 'received_bytes_total 7' 'uploads 0'; do
    [[ $output == *"wherry_registry_$line"* ]]
  done
  [ "$(curl -s -o /dev/null -w '%{http_code}' "http://$R/metrics")" = 404 ]
  server_end M
}

@test "two servers on one folder, and flags that do not fit" {
  run -1 "$PROGRAMS/wherry-registry" serve --data "$SERVERS/R/data" -H tcp://127.0.0.1:0
  [[ $output == *"another wherry-registry uses $SERVERS/R/data"* ]]
  wrong() { run -125 "$PROGRAMS/wherry-registry" serve --data "$SERVERS/none" "${@:2}"; [[ $output == *"$1"* ]]; }
  wrong 'belong together' --tlscert x
  wrong 'only complete together' --token-realm x
  wrong 'accepts no arguments' word
  wrong 'unknown flag: --nosuch' --nosuch
  wrong 'must not be negative' --gc-grace -1s
  wrong 'must be of the form https://HOST' --upstream ftp://x
  wrong 'invalid --log-level' --log-level loud
  run -125 "$PROGRAMS/wherry-registry" dance
  [[ $output == *"'dance' is not a command"* ]]
  run -1 "$PROGRAMS/wherry-registry" gc --data "$SERVERS/none"
  [[ $output == *'no such file or directory'* ]] && [ ! -e "$SERVERS/none" ]
  run -0 "$PROGRAMS/wherry-registry" --version
}

@test "wherry registry starts it with the same flags" {
  port=$((20000 + RANDOM % 8000))
  "$PROGRAMS/wherry" registry serve --data "$SERVERS/w/data" -H "tcp://127.0.0.1:$port" --upload-expiry 1h30m --quota 2m --delete=false >"$SERVERS/w.log" 2>&1 3>&- &
  pid=$!
  is_there() { grep -q Listening "$SERVERS/w.log"; }
  wait_until is_there
  tr '\0' '\n' <"/proc/$pid/cmdline" >"$SERVERS/cmdline"
  [ "$(curl -s "http://127.0.0.1:$port/v2/")" = '{}' ]
  [ "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE "http://127.0.0.1:$port/v2/a/manifests/x")" = 405 ]
  run -0 "$PROGRAMS/wherry" registry gc --data "$SERVERS/w/data" --grace 0s
  [[ $output == 'removed 0 manifests'* ]]
  kill $pid; wait $pid
  run -0 cat "$SERVERS/cmdline"
  [[ $output == $'wherry-registry\nserve\n'* && $output == *--quota=2097152* && $output == *--upload-expiry=5400000000000ns* ]]
}
