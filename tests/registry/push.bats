# wherry-registry: the clauses of distribution-spec 1.1, "Push".
load ../lib/registry_server
bats_require_minimum_version 1.5.0

setup_file() {
  servers_open && server_start R
  seq 30000 >"$SERVERS/numbers"
  : >"$SERVERS/empty"
}
teardown_file() { servers_close; }

blob_is_there() { # REPOSITORY FILE
  ask GET "/v2/$1/blobs/$(digest "$2")"
  [ "$STATUS" = 200 ] && cmp "$SERVERS/body" "$2"
}

@test "in one request, with the digest at once" {
  name=$(digest "$SERVERS/numbers")
  ask POST "/v2/push/single/blobs/uploads/?digest=$name" --data-binary "@$SERVERS/numbers"
  [ "$STATUS" = 201 ] && [ "$(header location)" = "/v2/push/single/blobs/$name" ] && [ "$(header docker-content-digest)" = "$name" ]
  blob_is_there push/single "$SERVERS/numbers"
  # Once more, and the empty one.
  put_blob push/single "$SERVERS/numbers" && put_blob push/single "$SERVERS/empty"
  blob_is_there push/single "$SERVERS/empty"
  # Without a length.
  seq 5000 >"$SERVERS/chunked"
  ask POST "/v2/push/single/blobs/uploads/?digest=$(digest "$SERVERS/chunked")" -H 'Transfer-Encoding: chunked' --data-binary "@$SERVERS/chunked"
  [ "$STATUS" = 201 ]
  blob_is_there push/single "$SERVERS/chunked"
}

@test "POST, then PUT with all of it" {
  place=$(begin_upload push/two)
  [[ $place == /v2/push/two/blobs/uploads/* ]] && [ "$(header range)" = 0-0 ] && [ -n "$(header docker-upload-uuid)" ]
  ask PUT "$place?digest=$(digest "$SERVERS/numbers")" --data-binary "@$SERVERS/numbers"
  [ "$STATUS" = 201 ] && [ "$(header location)" = "/v2/push/two/blobs/$(digest "$SERVERS/numbers")" ]
  blob_is_there push/two "$SERVERS/numbers"
  ask GET "$place"
  [ "$STATUS" = 404 ] && [ "$(code)" = BLOB_UPLOAD_UNKNOWN ]
}

@test "in chunks, which have to follow each other" {
  place=$(begin_upload push/chunks)
  head -c 1000 "$SERVERS/numbers" >"$SERVERS/c1"; tail -c +1001 "$SERVERS/numbers" | head -c 500 >"$SERVERS/c2"; tail -c +1501 "$SERVERS/numbers" >"$SERVERS/c3"
  ask PATCH "$place" -H 'Content-Range: 0-999' -H 'Content-Type: application/octet-stream' --data-binary "@$SERVERS/c1"
  [ "$STATUS" = 202 ] && [ "$(header range)" = 0-999 ] && [ "$(header location)" = "$place" ]
  # Out of order, twice the same, overlapping: refused, and nothing is lost.
  for range in 1500-1999 0-999 500-999; do
    ask PATCH "$place" -H "Content-Range: $range" --data-binary "@$SERVERS/c2"
    [ "$STATUS" = 416 ] && [ "$(header range)" = 0-999 ] && [ "$(header location)" = "$place" ]
  done
  # A range that is none, or not as long as the body.
  for range in 1000 a-b 1499-1000 -; do
    ask PATCH "$place" -H "Content-Range: $range" --data-binary "@$SERVERS/c2"
    [ "$STATUS" = 400 ]
  done
  ask PATCH "$place" -H 'Content-Range: 1000-1998' --data-binary "@$SERVERS/c2"
  [ "$STATUS" = 400 ] && [ "$(code)" = SIZE_INVALID ]
  ask GET "$place"
  [ "$STATUS" = 204 ] && [ "$(header range)" = 0-999 ] && [ "$(header location)" = "$place" ]
  ask PATCH "$place" -H 'Content-Range: 1000-1499' --data-binary "@$SERVERS/c2"
  [ "$STATUS" = 202 ] && [ "$(header range)" = 0-1499 ]
  # The last chunk with the PUT.
  ask PUT "$place?digest=$(digest "$SERVERS/numbers")" -H "Content-Range: 1500-$(($(size "$SERVERS/numbers") - 1))" --data-binary "@$SERVERS/c3"
  [ "$STATUS" = 201 ]
  blob_is_there push/chunks "$SERVERS/numbers"
}

@test "in one stream without a range, ended by an empty PUT" {
  place=$(begin_upload push/stream)
  ask PATCH "$place" -H 'Transfer-Encoding: chunked' --data-binary "@$SERVERS/numbers"
  [ "$STATUS" = 202 ] && [ "$(header range)" = "0-$(($(size "$SERVERS/numbers") - 1))" ]
  ask PUT "$place?digest=$(digest "$SERVERS/numbers")" -H 'Content-Length: 0'
  [ "$STATUS" = 201 ]
  blob_is_there push/stream "$SERVERS/numbers"
}

@test "an upload is its repository's, and can be given up" {
  place=$(begin_upload push/given)
  ask GET "${place/given/other}"
  [ "$STATUS" = 404 ] && [ "$(code)" = BLOB_UPLOAD_UNKNOWN ]
  ask DELETE "$place"
  [ "$STATUS" = 204 ]
  ask PATCH "$place" --data-binary x
  [ "$STATUS" = 404 ]
  ask PUT /v2/push/given/blobs/uploads/nosuch?digest="$(digest "$SERVERS/numbers")"
  [ "$STATUS" = 404 ] && [ "$(code)" = BLOB_UPLOAD_UNKNOWN ]
  ask GET /v2/push/given/blobs/uploads/
  [ "$STATUS" = 405 ]
  [ -z "$(ls "$SERVERS/R/data/uploads")" ]
}

@test "a wrong digest" {
  wrong=sha256:$(printf '%064d' 1)
  ask POST "/v2/push/wrong/blobs/uploads/?digest=$wrong" --data-binary "@$SERVERS/numbers"
  [ "$STATUS" = 400 ] && [ "$(code)" = DIGEST_INVALID ]
  ask POST '/v2/push/wrong/blobs/uploads/?digest=sha512:00' --data-binary x
  [ "$STATUS" = 400 ] && [ "$(code)" = DIGEST_INVALID ]
  place=$(begin_upload push/wrong)
  for query in '' '?digest=' '?digest=nonsense'; do
    ask PUT "$place$query" --data-binary x
    [ "$STATUS" = 400 ] && [ "$(code)" = DIGEST_INVALID ]
  done
  ask PUT "$place?digest=$wrong" --data-binary "@$SERVERS/numbers"
  [ "$STATUS" = 400 ] && [ "$(code)" = DIGEST_INVALID ]
  ask HEAD "/v2/push/wrong/blobs/$wrong"
  [ "$STATUS" = 404 ]
  ask HEAD "/v2/push/wrong/blobs/$(digest "$SERVERS/numbers")"
  [ "$STATUS" = 404 ]
  [ -z "$(ls "$SERVERS/R/data/uploads")" ]
}

@test "a blob is mounted from another repository" {
  name=$(put_blob push/from "$SERVERS/numbers")
  ask POST "/v2/push/to/blobs/uploads/?mount=$name&from=push/from" -H 'Content-Length: 0'
  [ "$STATUS" = 201 ] && [ "$(header location)" = "/v2/push/to/blobs/$name" ] && [ "$(header docker-content-digest)" = "$name" ]
  blob_is_there push/to "$SERVERS/numbers"
  # What cannot be mounted is an upload: of a repository that has it not, and without one.
  for query in "mount=$name&from=push/nobody" "mount=sha256:$(printf '%064d' 2)&from=push/from" "mount=$name" "mount=$name&from=BAD" 'mount=bad&from=push/from'; do
    ask POST "/v2/push/third/blobs/uploads/?$query" -H 'Content-Length: 0'
    [ "$STATUS" = 202 ]
    ask DELETE "$(header location)"
    [ "$STATUS" = 204 ]
  done
  ask HEAD "/v2/push/third/blobs/$name"
  [ "$STATUS" = 404 ]
}

@test "manifests: by tag, by digest, again, and moved tags" {
  make_manifest push/manifest "$SERVERS/m1"; name=$(digest "$SERVERS/m1")
  put_manifest push/manifest v1 "$SERVERS/m1"
  [ "$STATUS" = 201 ] && [ "$(header location)" = "/v2/push/manifest/manifests/$name" ] && [ "$(header docker-content-digest)" = "$name" ]
  put_manifest push/manifest v1 "$SERVERS/m1"
  [ "$STATUS" = 201 ]
  make_manifest push/manifest "$SERVERS/m2"
  put_manifest push/manifest "$(digest "$SERVERS/m2")" "$SERVERS/m2"
  [ "$STATUS" = 201 ]
  ask GET /v2/push/manifest/tags/list
  [ "$(jq -c .tags "$SERVERS/body")" = '["v1"]' ]
  put_manifest push/manifest v1 "$SERVERS/m2"
  ask GET /v2/push/manifest/manifests/v1
  cmp "$SERVERS/body" "$SERVERS/m2"
  ask GET "/v2/push/manifest/manifests/$name"
  cmp "$SERVERS/body" "$SERVERS/m1"
  put_manifest push/manifest "$name" "$SERVERS/m2"
  [ "$STATUS" = 400 ] && [ "$(code)" = DIGEST_INVALID ]
  put_manifest push/manifest -bad "$SERVERS/m2"
  [ "$STATUS" = 400 ] && [ "$(code)" = TAG_INVALID ]
  put_manifest push/manifest "$(printf 'a%.0s' $(seq 129))" "$SERVERS/m2"
  [ "$STATUS" = 400 ]
  ask POST /v2/push/manifest/manifests/v1 --data-binary x
  [ "$STATUS" = 405 ]
}

@test "what a manifest refers to has to be there, and of that size" {
  make_manifest push/refers "$SERVERS/m1"
  jq -c '.layers[0].digest = "sha256:\("1" * 64)"' "$SERVERS/m1" >"$SERVERS/bad"
  put_manifest push/refers bad "$SERVERS/bad"
  [ "$STATUS" = 404 ] && [ "$(code)" = MANIFEST_BLOB_UNKNOWN ]
  jq -c '.config.digest = "sha256:\("1" * 64)"' "$SERVERS/m1" >"$SERVERS/bad"
  put_manifest push/refers bad "$SERVERS/bad"
  [ "$STATUS" = 404 ] && [ "$(code)" = MANIFEST_BLOB_UNKNOWN ]
  jq -c '.layers[0].size += 1' "$SERVERS/m1" >"$SERVERS/bad"
  put_manifest push/refers bad "$SERVERS/bad"
  [ "$STATUS" = 400 ] && [ "$(code)" = MANIFEST_INVALID ]
  # A blob of another repository is not this one's.
  put_manifest push/elsewhere bad "$SERVERS/m1"
  [ "$STATUS" = 404 ]
  # Layers that are fetched from elsewhere need not be here.
  jq -c '.layers += [{mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", digest: "sha256:\("2" * 64)", size: 5, urls: ["https://example.com/x"]}]' "$SERVERS/m1" >"$SERVERS/foreign"
  put_manifest push/refers foreign "$SERVERS/foreign"
  [ "$STATUS" = 201 ]
  ask GET /v2/push/refers/tags/list
  [ "$(jq -c .tags "$SERVERS/body")" = '["foreign"]' ]
}

@test "manifests that are none" {
  make_manifest push/none "$SERVERS/m1"
  refused() { # FILE TYPE
    put_manifest push/none bad "$1" "$2"
    [ "$STATUS" = 400 ] && [ "$(code)" = MANIFEST_INVALID ]
  }
  changed() { jq -c "$1" "$SERVERS/m1" >"$SERVERS/bad"; refused "$SERVERS/bad" "${2:-$OCI}"; }
  echo '{' >"$SERVERS/bad"; refused "$SERVERS/bad" "$OCI"
  echo '[]' >"$SERVERS/bad"; refused "$SERVERS/bad" "$OCI"
  : >"$SERVERS/bad"; refused "$SERVERS/bad" "$OCI"
  { cat "$SERVERS/m1"; printf '\0'; } >"$SERVERS/bad"; refused "$SERVERS/bad" "$OCI"
  changed '.schemaVersion = 1'
  changed 'del(.config)'
  changed '.config.digest = "sha256:short"'
  changed '.config.size = -1'
  changed '.layers = 5'
  changed '.mediaType = "application/vnd.oci.image.index.v1+json"'
  changed '.manifests = []'
  changed '.subject = {digest: "x", size: 1}'
  changed 'del(.mediaType)' text/plain
  changed '.' "$INDEX"
  jq -c 'del(.mediaType)' "$SERVERS/m1" >"$SERVERS/bad"
  ask PUT /v2/push/none/manifests/bad -H 'Content-Type:' --data-binary "@$SERVERS/bad"
  [ "$STATUS" = 400 ] && [ "$(code)" = MANIFEST_INVALID ]
  jq -c '{schemaVersion: 1, name: "x"}' "$SERVERS/m1" >"$SERVERS/bad"; refused "$SERVERS/bad" application/vnd.docker.distribution.manifest.v1+json
  python3 -c 'print("[" * 5000)' >"$SERVERS/bad"; refused "$SERVERS/bad" "$OCI"
  ask GET /v2/push/none/tags/list
  [ "$(jq -c .tags "$SERVERS/body")" = '[]' ]
  # Without its Content-Type the manifest's own counts.
  ask PUT /v2/push/none/manifests/bare -H 'Content-Type:' --data-binary "@$SERVERS/m1"
  [ "$STATUS" = 201 ]
  ask HEAD /v2/push/none/manifests/bare
  [ "$(header content-type)" = "$OCI" ]
}

@test "4 MiB are the limit of a manifest" {
  make_manifest push/large "$SERVERS/m1"
  annotated() { jq -c --arg pad "$(printf "%0$((1 << 16))d" 0)" --argjson times "$1" '.annotations = {a: ($pad * $times)}' "$SERVERS/m1"; }
  annotated 63 >"$SERVERS/large"
  put_manifest push/large fits "$SERVERS/large"
  [ "$STATUS" = 201 ]
  annotated 64 >"$SERVERS/large"
  put_manifest push/large over "$SERVERS/large"
  [ "$STATUS" = 413 ]
  ask PUT /v2/push/large/manifests/over -H "Content-Type: $OCI" -H 'Transfer-Encoding: chunked' --data-binary "@$SERVERS/large"
  [ "$STATUS" = 413 ]
  ask GET /v2/push/large/tags/list
  [ "$(jq -c .tags "$SERVERS/body")" = '["fits"]' ]
}

@test "indexes refer to manifests that are there" {
  make_manifest push/index "$SERVERS/m1"
  jq -nc --arg type "$INDEX" --arg child "$OCI" --arg digest "$(digest "$SERVERS/m1")" --argjson size "$(size "$SERVERS/m1")" \
    '{schemaVersion: 2, mediaType: $type, manifests: [{mediaType: $child, digest: $digest, size: $size, platform: {architecture: "amd64", os: "linux"}}]}' >"$SERVERS/index"
  put_manifest push/index all "$SERVERS/index" "$INDEX"
  [ "$STATUS" = 404 ] && [ "$(code)" = MANIFEST_BLOB_UNKNOWN ]
  put_manifest push/index "$(digest "$SERVERS/m1")" "$SERVERS/m1"
  put_manifest push/index all "$SERVERS/index" "$INDEX"
  [ "$STATUS" = 201 ]
  ask GET /v2/push/index/manifests/all
  [ "$(header content-type)" = "$INDEX" ] && cmp "$SERVERS/body" "$SERVERS/index"
  # An index without anything is one too; one that refers to itself cannot be made.
  echo '{"schemaVersion":2,"manifests":[]}' >"$SERVERS/none"
  put_manifest push/index none "$SERVERS/none" "$INDEX"
  [ "$STATUS" = 201 ]
}

@test "a subject is acknowledged, also before it is there" {
  make_manifest push/subject "$SERVERS/m1"
  make_manifest push/subject "$SERVERS/s1" ".subject = {mediaType: \"$OCI\", digest: \"$(digest "$SERVERS/m1")\", size: 5}"
  put_manifest push/subject "$(digest "$SERVERS/s1")" "$SERVERS/s1"
  [ "$STATUS" = 201 ] && [ "$(header oci-subject)" = "$(digest "$SERVERS/m1")" ]
  put_manifest push/subject v1 "$SERVERS/m1"
  [ "$STATUS" = 201 ] && [ -z "$(header oci-subject)" ]
}
