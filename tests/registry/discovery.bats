# wherry-registry: the clauses of distribution-spec 1.1, "Content Discovery", and the catalog.
load ../lib/registry_server
bats_require_minimum_version 1.5.0

setup_file() {
  servers_open && server_start R
  make_manifest find/tags "$SERVERS/m1"
  for tag in b A a-2 a.1 B2 _x 10 9; do put_manifest find/tags "$tag" "$SERVERS/m1"; done
}
teardown_file() { servers_close; }

tags() { jq -r '.tags | join(" ")' "$SERVERS/body"; }

@test "tags in the order of the alphabet, without regard to case" {
  ask GET /v2/find/tags/tags/list
  [ "$STATUS" = 200 ] && [ "$(jq -r .name "$SERVERS/body")" = find/tags ] && [[ $(header content-type) == application/json* ]]
  [ "$(tags)" = '10 9 _x A a-2 a.1 b B2' ]
  ask GET /v2/find/nobody/tags/list
  [ "$STATUS" = 404 ] && [ "$(code)" = NAME_UNKNOWN ]
  ask PUT /v2/find/tags/tags/list
  [ "$STATUS" = 405 ]
}

@test "tags in pages" {
  ask GET '/v2/find/tags/tags/list?n=3'
  [ "$(tags)" = '10 9 _x' ] && [ "$(header link)" = '</v2/find/tags/tags/list?last=_x&n=3>; rel="next"' ]
  ask GET '/v2/find/tags/tags/list?n=3&last=_x'
  [ "$(tags)" = 'A a-2 a.1' ]
  ask GET '/v2/find/tags/tags/list?n=3&last=a.1'
  [ "$(tags)" = 'b B2' ] && [ -z "$(header link)" ]
  # A last page that is just full has no other after it; one after a tag that is not there goes on behind its place.
  ask GET '/v2/find/tags/tags/list?n=2&last=a.1'
  [ "$(tags)" = 'b B2' ] && [ -z "$(header link)" ]
  ask GET '/v2/find/tags/tags/list?last=a-9'
  [ "$(tags)" = 'a.1 b B2' ]
  ask GET '/v2/find/tags/tags/list?n=0'
  [ "$STATUS" = 200 ] && [ "$(jq -c .tags "$SERVERS/body")" = '[]' ] && [ -z "$(header link)" ]
  ask GET '/v2/find/tags/tags/list?last=zzz'
  [ "$(jq -c .tags "$SERVERS/body")" = '[]' ]
  for n in -1 x 1.5 ''; do
    ask GET "/v2/find/tags/tags/list?n=$n"
    [ "$STATUS" = 400 ] && [ "$(code)" = PAGINATION_NUMBER_INVALID ]
  done
}

@test "the catalog in pages" {
  for name in cat/c cat/a cat/b; do put_blob "$name" "$SERVERS/m1"; done
  ask GET /v2/_catalog
  [ "$(jq -c .repositories "$SERVERS/body")" = '["cat/a","cat/b","cat/c","find/tags"]' ]
  ask GET '/v2/_catalog?n=2'
  [ "$(jq -c .repositories "$SERVERS/body")" = '["cat/a","cat/b"]' ] && [ "$(header link)" = '</v2/_catalog?last=cat%2Fb&n=2>; rel="next"' ]
  ask GET '/v2/_catalog?last=cat%2Fb&n=2'
  [ "$(jq -c .repositories "$SERVERS/body")" = '["cat/c","find/tags"]' ] && [ -z "$(header link)" ]
  ask GET '/v2/_catalog?n=no'
  [ "$STATUS" = 400 ]
}

@test "referrers of what is there and of what is not" {
  subject=$(digest "$SERVERS/m1")
  ask GET "/v2/find/tags/referrers/$subject"
  [ "$STATUS" = 200 ] && [ "$(header content-type)" = "$INDEX" ]
  [ "$(body)" = "{\"schemaVersion\":2,\"mediaType\":\"$INDEX\",\"manifests\":[]}" ]
  ask GET "/v2/find/nobody/referrers/$subject"
  [ "$STATUS" = 200 ] && [ "$(jq -c .manifests "$SERVERS/body")" = '[]' ]
  ask GET /v2/find/tags/referrers/sha256:bad
  [ "$STATUS" = 400 ] && [ "$(code)" = DIGEST_INVALID ]
  # Of an artifact type, of a config's type, and an index.
  about=".subject = {mediaType: \"$OCI\", digest: \"$subject\", size: $(size "$SERVERS/m1")}"
  make_manifest find/tags "$SERVERS/r1" "$about | .artifactType = \"application/x-sbom\" | .annotations = {who: \"me\"}"
  make_manifest find/tags "$SERVERS/r2" "$about | .config.mediaType = \"application/x-signature\""
  jq -nc --arg type "$INDEX" "{schemaVersion: 2, mediaType: \$type, artifactType: \"application/x-list\", manifests: []} | $about" >"$SERVERS/r3"
  for file in r1 r2; do put_manifest find/tags "$(digest "$SERVERS/$file")" "$SERVERS/$file"; done
  put_manifest find/tags "$(digest "$SERVERS/r3")" "$SERVERS/r3" "$INDEX"
  ask GET "/v2/find/tags/referrers/$subject"
  [ "$(jq '.manifests | length' "$SERVERS/body")" = 3 ] && [ -z "$(header oci-filters-applied)" ]
  one() { jq -c ".manifests[] | select(.digest == \"$(digest "$SERVERS/$1")\")" "$SERVERS/body"; }
  [ "$(one r1)" = "{\"mediaType\":\"$OCI\",\"digest\":\"$(digest "$SERVERS/r1")\",\"size\":$(size "$SERVERS/r1"),\"artifactType\":\"application/x-sbom\",\"annotations\":{\"who\":\"me\"}}" ]
  [ "$(one r2 | jq -r .artifactType)" = application/x-signature ] && [ "$(one r2 | jq 'has("annotations")')" = false ]
  [ "$(one r3 | jq -r '.mediaType + " " + .artifactType')" = "$INDEX application/x-list" ]
  ask GET "/v2/find/tags/referrers/$subject?artifactType=application/x-sbom"
  [ "$(header oci-filters-applied)" = artifactType ] && [ "$(jq -r '.manifests[].digest' "$SERVERS/body")" = "$(digest "$SERVERS/r1")" ]
  ask GET "/v2/find/tags/referrers/$subject?artifactType=application/x-none"
  [ "$(jq -c .manifests "$SERVERS/body")" = '[]' ] && [ "$(header oci-filters-applied)" = artifactType ]
  # In pages, and the filter stays.
  ask GET "/v2/find/tags/referrers/$subject?n=2"
  next=$(header link | sed 's/<\(.*\)>; rel="next"/\1/')
  [ "$(jq '.manifests | length' "$SERVERS/body")" = 2 ] && [ -n "$next" ]
  ask GET "$next"
  [ "$(jq '.manifests | length' "$SERVERS/body")" = 1 ] && [ -z "$(header link)" ]
  # One that is deleted is none any more.
  ask DELETE "/v2/find/tags/manifests/$(digest "$SERVERS/r2")"
  [ "$STATUS" = 202 ]
  ask GET "/v2/find/tags/referrers/$subject"
  [ "$(jq '.manifests | length' "$SERVERS/body")" = 2 ]
}
