# wherry-registry: the clauses of distribution-spec 1.1, "Pull".
load ../lib/registry_server
bats_require_minimum_version 1.5.0

setup_file() {
  servers_open && server_start R
  make_manifest pull/one "$SERVERS/m1"
  put_manifest pull/one v1 "$SERVERS/m1"
  seq 20000 >"$SERVERS/numbers"
  put_blob pull/one "$SERVERS/numbers"
}
teardown_file() { servers_close; }

@test "the base says that this is a registry" {
  ask GET /v2/
  [ "$STATUS" = 200 ] && [ "$(body)" = '{}' ] && [ "$(header docker-distribution-api-version)" = registry/2.0 ]
  ask GET /v2
  [ "$STATUS" = 200 ]
  ask GET /v1/
  [ "$STATUS" = 404 ]
  ask DELETE /v2/
  [ "$STATUS" = 405 ] && [ "$(code)" = UNSUPPORTED ]
}

@test "a manifest by its tag and by its digest, byte for byte" {
  name=$(digest "$SERVERS/m1")
  for reference in v1 "$name"; do
    ask GET "/v2/pull/one/manifests/$reference" -H "Accept: $OCI"
    [ "$STATUS" = 200 ] && cmp "$SERVERS/body" "$SERVERS/m1"
    [ "$(header content-type)" = "$OCI" ] && [ "$(header docker-content-digest)" = "$name" ]
    [ "$(header content-length)" = "$(size "$SERVERS/m1")" ]
    ask HEAD "/v2/pull/one/manifests/$reference"
    [ "$STATUS" = 200 ] && [ "$(header docker-content-digest)" = "$name" ] && [ "$(header content-length)" = "$(size "$SERVERS/m1")" ]
    ask GET "/v2/pull/one/manifests/$reference" -H "If-None-Match: \"$name\""
    [ "$STATUS" = 304 ] && [ ! -s "$SERVERS/body" ]
  done
}

@test "a manifest that is not there" {
  for reference in nosuch "sha256:$(printf '%064d' 0)" .not-a-tag; do
    ask GET "/v2/pull/one/manifests/$reference"
    [ "$STATUS" = 404 ] && [ "$(code)" = MANIFEST_UNKNOWN ]
    [ "$(jq -r '.errors[0].detail.reference' "$SERVERS/body")" = "$reference" ]
    ask HEAD "/v2/pull/one/manifests/$reference"
    [ "$STATUS" = 404 ]
  done
  ask GET /v2/pull/nobody/manifests/v1
  [ "$STATUS" = 404 ] && [ "$(code)" = MANIFEST_UNKNOWN ]
}

@test "a blob, its head, and one that is not there" {
  name=$(digest "$SERVERS/numbers")
  ask GET "/v2/pull/one/blobs/$name"
  [ "$STATUS" = 200 ] && cmp "$SERVERS/body" "$SERVERS/numbers"
  [ "$(header docker-content-digest)" = "$name" ] && [ "$(header accept-ranges)" = bytes ]
  [ "$(header content-type)" = application/octet-stream ]
  ask HEAD "/v2/pull/one/blobs/$name"
  [ "$STATUS" = 200 ] && [ "$(header content-length)" = "$(size "$SERVERS/numbers")" ] && [ "$(header docker-content-digest)" = "$name" ]
  ask GET "/v2/pull/one/blobs/$name" -H "If-None-Match: \"$name\""
  [ "$STATUS" = 304 ]
  missing=sha256:$(printf '%064d' 0)
  ask GET "/v2/pull/one/blobs/$missing"
  [ "$STATUS" = 404 ] && [ "$(code)" = BLOB_UNKNOWN ] && [ "$(jq -r '.errors[0].detail.digest' "$SERVERS/body")" = "$missing" ]
  ask HEAD "/v2/pull/one/blobs/$missing"
  [ "$STATUS" = 404 ]
  # What one repository holds another does not show.
  ask GET "/v2/pull/other/blobs/$name"
  [ "$STATUS" = 404 ] && [ "$(code)" = BLOB_UNKNOWN ]
}

@test "parts of a blob" {
  path=/v2/pull/one/blobs/$(digest "$SERVERS/numbers") all=$(size "$SERVERS/numbers")
  part() { # RANGE FIRST LENGTH
    ask GET "$path" -H "Range: bytes=$1"
    [ "$STATUS" = 206 ] && cmp "$SERVERS/body" <(tail -c +$(($2 + 1)) "$SERVERS/numbers" | head -c "$3")
    [ "$(header content-range)" = "bytes $2-$(($2 + $3 - 1))/$all" ] && [ "$(header content-length)" = "$3" ]
  }
  part 0-0 0 1
  part 100-199 100 100
  part 100- 100 $((all - 100))
  part -7 $((all - 7)) 7
  part "5-$((all * 2))" 5 $((all - 5))
  part "-$((all * 2))" 0 "$all"
  for range in "$all-" "$((all + 5))-$((all + 9))" -0; do
    ask GET "$path" -H "Range: bytes=$range"
    [ "$STATUS" = 416 ] && [ "$(header content-range)" = "bytes */$all" ]
  done
  # What is malformed, in another unit or several at once counts as no range.
  for range in bytes=9-3 bytes=a-b bytes= lines=1-2 bytes=1-2,4-5 bytes=-; do
    ask GET "$path" -H "Range: $range"
    [ "$STATUS" = 200 ] && [ "$(header content-length)" = "$all" ]
  done
  ask GET "$path" -H 'Range: bytes=1-2' -H 'If-Range: "sha256:other"'
  [ "$STATUS" = 200 ]
  # A download that broke off goes on.
  curl -s -o "$SERVERS/resumed" -r 0-999 "http://$R$path"
  curl -s -C - -o "$SERVERS/resumed" "http://$R$path"
  cmp "$SERVERS/resumed" "$SERVERS/numbers"
}

@test "names and digests that cannot be" {
  for name in Upper a//b -a a- a_.b "$(printf 'a%.0s' $(seq 256))" a/../b; do
    ask GET "/v2/$name/manifests/v1"
    [ "$STATUS" = 400 ] && [ "$(code)" = NAME_INVALID ]
  done
  for name in sha256:abc md5:0123456789abcdef0123456789abcdef sha256:$(printf '%064d' 0 | tr 0 G) sha512:$(printf '%0128d' 0) x; do
    ask GET "/v2/pull/one/blobs/$name"
    [ "$STATUS" = 400 ] && [ "$(code)" = DIGEST_INVALID ]
  done
  ask GET "/v2/pull/one/manifests/sha256:abc"
  [ "$STATUS" = 400 ] && [ "$(code)" = DIGEST_INVALID ]
  # Names may have the words of the paths in them.
  for name in a/blobs/uploads blobs tags/list/manifests v2/referrers; do
    make_manifest "$name" "$SERVERS/odd" && put_manifest "$name" v1 "$SERVERS/odd"
    [ "$STATUS" = 201 ]
    ask GET "/v2/$name/manifests/v1"
    [ "$STATUS" = 200 ] && cmp "$SERVERS/body" "$SERVERS/odd"
    ask GET "/v2/$name/tags/list"
    [ "$(jq -c .tags "$SERVERS/body")" = '["v1"]' ]
  done
  for path in /v2/x /v2/x/y /v2/x/tags/other /v2/x/uploads/1 /nothing /v2/x/manifests/a/b; do
    ask GET "$path"
    [ "$STATUS" = 404 ]
  done
}
