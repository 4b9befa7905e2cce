# wherry-registry and its clients: the client under test through wherryd, wherry's engine, skopeo where it is installed, Debian's registry.
load ../lib/engine
load ../lib/registry
load ../lib/registry_server
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox && servers_open && server_start OWN && registry_start OPEN || return 1
  python3 - "$SERVERS" <<'END'
import ctypes, sys
crypt = ctypes.CDLL('libcrypt.so.1').crypt; crypt.restype = ctypes.c_char_p
open(sys.argv[1] + '/users', 'w').write('ann:' + crypt(b'secret', b'$2y$05$abcdefghijklmnopqrstuu').decode() + '\n')
END
  server_start SHUT --htpasswd "$SERVERS/users"
  server_start CACHE --upstream "http://$OWN"
}
teardown_file() { registries_stop; servers_close; engine_stop; }

@test "push, remove, pull: the same image and the same digest" {
  id=$(client images -q --no-trunc busybox)
  client tag busybox "$OWN/team/box:v1"
  run -0 client push "$OWN/team/box:v1"
  [[ $output == *': Pushed'* ]]
  digest=$(sed -n 's/^v1: digest: \([^ ]*\) .*/\1/p' <<<"$output")
  run -0 client push "$OWN/team/box:v1"
  [[ $output == *': Layer already exists'* ]]
  client tag busybox "$OWN/other/box:v2"
  run -0 client push "$OWN/other/box:v2"
  [[ $output == *': Mounted from team/box'* ]]
  client rmi "$OWN/team/box:v1" "$OWN/other/box:v2" busybox
  run -0 client pull "$OWN/team/box:v1"
  [[ $output == *"Digest: $digest"* ]]
  [ "$(client images -q --no-trunc "$OWN/team/box")" = "$id" ]
  run -0 client run --rm "$OWN/team/box@$digest" echo works
  [ "$output" = works ]
  client tag "$OWN/team/box:v1" busybox
  run -1 client pull "$OWN/team/box:nosuch"
  [[ $output == *"manifest for $OWN/team/box:nosuch not found: manifest unknown: manifest unknown"* ]]
}

@test "all tags are pushed and pulled" {
  for tag in 1 2 3; do client tag busybox "$OWN/many:$tag"; done
  client push -a "$OWN/many"
  client rmi "$OWN/many:1" "$OWN/many:2" "$OWN/many:3"
  client pull -a "$OWN/many"
  run -0 client images --format '{{.Tag}}' "$OWN/many"
  [ "$(sort <<<"$output")" = $'1\n2\n3' ]
  client rmi "$OWN/many:1" "$OWN/many:2" "$OWN/many:3"
}

@test "login, push, pull, logout" {
  client tag busybox "$SHUT/box:1"
  run -1 client push "$SHUT/box:1"
  [[ $output == *'no basic auth credentials'* ]]
  run -1 client login -u ann -p wrong "$SHUT"
  [[ $output == *[Uu]nauthorized* ]]
  client login -u ann --password-stdin "$SHUT" <<<secret
  client push "$SHUT/box:1"
  client rmi "$SHUT/box:1"
  client pull "$SHUT/box:1"
  client rmi "$SHUT/box:1"
  client logout "$SHUT"
  run -1 client pull "$SHUT/box:1"
  [[ $output == *'no basic auth credentials'* ]]
}

@test "through the cache" {
  client tag busybox "$OWN/cached/box:1"; client push "$OWN/cached/box:1"
  client rmi $(client images -q | sort -u) -f
  client pull "$CACHE/cached/box:1"
  run -0 client run --rm "$CACHE/cached/box:1" echo cached
  [ "$output" = cached ]
  [ "$(ls "$SERVERS/CACHE/data/blobs" | wc -l)" = 2 ]
  client tag "$CACHE/cached/box:1" busybox
  run -1 client push "$CACHE/cached/box:1"
  client rmi "$CACHE/cached/box:1"
}

@test "manifest lists" {
  client tag busybox "$OWN/list/box:amd64"; client push "$OWN/list/box:amd64"
  client manifest create --insecure "$OWN/list/box:all" "$OWN/list/box:amd64"
  client manifest push --insecure "$OWN/list/box:all"
  R=$OWN
  ask GET /v2/list/box/manifests/all
  [ "$STATUS" = 200 ] && [ "$(jq '.manifests | length' "$SERVERS/body")" = 1 ]
  client rmi "$OWN/list/box:amd64"
  client pull "$OWN/list/box:all"
  client rmi "$OWN/list/box:all"
}

@test "between this registry and Debian's, with skopeo: the same digests" {
  command -v skopeo >/dev/null || skip 'no skopeo'
  client tag busybox "$OWN/copy/box:1"; client push "$OWN/copy/box:1"
  copy() { skopeo --insecure-policy copy --preserve-digests --src-tls-verify=false --dest-tls-verify=false "$@" >"$SERVERS/skopeo" 2>&1 || { cat "$SERVERS/skopeo"; return 1; }; }
  of() { skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$1"; }
  copy "docker://$OWN/copy/box:1" "docker://$OPEN/copy/box:1"
  copy "docker://$OPEN/copy/box:1" "docker://$OWN/back/box:1"
  [ "$(of "$OWN/copy/box:1")" = "$(of "$OPEN/copy/box:1")" ] && [ "$(of "$OWN/copy/box:1")" = "$(of "$OWN/back/box:1")" ]
  # As an OCI image whose layer is zstd.
  skopeo --insecure-policy copy --format oci --dest-compress-format zstd --src-tls-verify=false --dest-tls-verify=false \
    "docker://$OWN/copy/box:1" "docker://$OWN/oci/box:1" >"$SERVERS/skopeo" 2>&1
  client rmi "$OWN/copy/box:1" busybox
  client pull "$OWN/oci/box:1"
  run -0 client run --rm "$OWN/oci/box:1" echo oci
  [ "$output" = oci ]
  client tag "$OWN/oci/box:1" busybox; client rmi "$OWN/oci/box:1"
  run -0 skopeo list-tags --tls-verify=false "docker://$OWN/copy/box"
  [[ $output == *'"1"'* ]]
  skopeo delete --tls-verify=false "docker://$OWN/back/box:1"
  run -0 skopeo inspect --tls-verify=false --raw "docker://$OWN/copy/box:1"
}
