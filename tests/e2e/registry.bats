# Registries: pull, push, login, search, and what happens when they misbehave.
load ../lib/engine
load ../lib/registry
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox && registry_start OPEN && registry_start CLOSED auth && fake_start
}
teardown_file() { registries_stop; engine_stop; }

blobs() { ls "$ENGINE/data/content/sha256" "$ENGINE/data/layers" "$ENGINE/data/tmp" | sort; }
api() { curl -s --unix-socket "$ENGINE/sock" "$@"; }

@test "what was pushed comes back as the same image" {
  id=$(client images -q --no-trunc busybox)
  client tag busybox "$OPEN/a/box:v1"
  run -0 client push "$OPEN/a/box:v1"
  [ "${lines[0]}" = "The push refers to repository [$OPEN/a/box]" ]
  [[ ${lines[1]} == *': Preparing' && ${lines[2]} == *': Pushed' && ${lines[3]} == 'v1: digest: sha256:'*' size: '* ]]
  digest=$(sed -n 's/^v1: digest: \([^ ]*\) .*/\1/p' <<<"$output")
  run -0 client image inspect -f '{{.RepoDigests}}' "$OPEN/a/box:v1"
  [ "$output" = "[$OPEN/a/box@$digest]" ]
  run -0 client push "$OPEN/a/box:v1"
  [[ ${lines[2]} == *': Layer already exists' ]]
  client tag busybox "$OPEN/b/box:v2"
  run -0 client push "$OPEN/b/box:v2"
  [[ ${lines[2]} == *': Mounted from a/box' ]]
  client rmi "$OPEN/a/box:v1" "$OPEN/b/box:v2" busybox
  [ -z "$(ls "$ENGINE/data/layers")" ]
  run -0 client pull "$OPEN/a/box:v1"
  [ "${lines[0]}" = 'v1: Pulling from a/box' ] && [[ ${lines[1]} == *': Pulling fs layer' ]]
  [[ $output == *': Pull complete'* ]]
  [[ $output == *"Digest: $digest"* && $output == *"Status: Downloaded newer image for $OPEN/a/box:v1"* ]]
  [ "${lines[-1]}" = "$OPEN/a/box:v1" ]
  [ "$(client images -q --no-trunc "$OPEN/a/box")" = "$id" ]
  run -0 client pull "$OPEN/a/box:v1"
  [[ $output == *"Status: Image is up to date for $OPEN/a/box:v1"* ]]
  run -0 client pull -q "$OPEN/a/box@$digest"
  [ "$output" = "$OPEN/a/box@$digest" ]
  run -0 client run --rm "$OPEN/a/box:v1" echo works
  [ "$output" = works ]
  client tag "$OPEN/a/box:v1" busybox
}

@test "all tags are pushed and pulled" {
  client tag busybox "$OPEN/many:1"; client tag busybox "$OPEN/many:2"
  run -0 client push -a "$OPEN/many"
  [[ $output == *'1: digest: '*'2: digest: '* ]]
  client rmi "$OPEN/many:1" "$OPEN/many:2"
  run -0 client pull -a "$OPEN/many"
  [[ $output == *'1: Pulling from many'* && $output == *'2: Pulling from many'* ]]
  run -0 client images --format '{{.Tag}}' "$OPEN/many"
  [ "$output" = $'1\n2' ]
  client rmi "$OPEN/many:1" "$OPEN/many:2"
  run -1 client pull -a "$OPEN/many:1"
  [[ $output == *"tag can't be used with --all-tags/-a"* ]]
}

@test "what a registry does not have" {
  before=$(blobs)
  run -1 client pull "$OPEN/a/box:nosuch"
  [[ $output == *"manifest for $OPEN/a/box:nosuch not found: manifest unknown: manifest unknown"* ]]
  run -1 client pull "$FAKE/denied"
  [[ $output == *"pull access denied for $FAKE/denied, repository does not exist or may require 'docker login': denied: denied"* ]]
  run -1 client push "$OPEN/not/here:1"
  [[ $output == *"An image does not exist locally with the tag: $OPEN/not/here"* ]]
  run -1 client pull 127.0.0.1:1/nobody
  [[ $output == *'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'* ]]
  run -1 client pull Bad/NAME
  [[ $output == *'must be lowercase'* ]]
  [ "$before" = "$(blobs)" ]
  [ "$(api -o /dev/null -w '%{http_code}' -X POST "http://d/v1.45/images/create?fromImage=$OPEN/a/box&tag=no:tag")" = 400 ]
  [ "$(api -o /dev/null -w '%{http_code}' -X POST "http://d/v1.45/images/create?fromImage=$OPEN/a/box&tag=nosuch")" = 404 ]
}

@test "login, push, pull, logout" {
  client tag busybox "$CLOSED/p/box:1"
  run -1 client push "$CLOSED/p/box:1"
  [[ $output == *'no basic auth credentials'* ]]
  run -1 client pull "$CLOSED/p/box:1"
  [[ $output == *"Head \"http://$CLOSED/v2/p/box/manifests/1\": no basic auth credentials"* ]]
  run -1 client login -u user -p wrong "$CLOSED"
  [[ $output == *"login attempt to http://$CLOSED/v2/ failed with status: 401 Unauthorized"* ]]
  run -0 client login -u user --password-stdin "$CLOSED" <<<x
  [[ $output == *'Login Succeeded'* ]]
  [ "$(jq -r ".auths[\"$CLOSED\"].auth" "$ENGINE/config/config.json")" = dXNlcjp4 ]
  client push "$CLOSED/p/box:1"
  client rmi "$CLOSED/p/box:1"
  client pull "$CLOSED/p/box:1"
  run -0 client logout "$CLOSED"
  [ "$output" = "Removing login credentials for $CLOSED" ]
  [ "$(jq -r ".auths[\"$CLOSED\"]" "$ENGINE/config/config.json")" = null ]
  run -1 client pull "$CLOSED/p/box:1"
  client rmi "$CLOSED/p/box:1"
}

@test "a credential helper keeps the password" {
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/bin/docker-credential-drawer" <<SH
#!/bin/sh
drawer=$BATS_TEST_TMPDIR/drawer
case \$1 in
  store) cat >\$drawer ;;
  get) read -r server; [ -s \$drawer ] && cat \$drawer || { echo 'credentials not found in native keychain'; exit 1; } ;;
  erase) rm -f \$drawer ;;
esac
SH
  chmod +x "$BATS_TEST_TMPDIR/bin/docker-credential-drawer"
  export PATH=$BATS_TEST_TMPDIR/bin:$PATH
  echo "{\"credHelpers\": {\"$CLOSED\": \"drawer\"}}" >"$ENGINE/config/config.json"
  client login -u user --password-stdin "$CLOSED" <<<x
  run ! grep -q dXNlcjp4 "$ENGINE/config/config.json"
  [ "$(jq -r .Secret "$BATS_TEST_TMPDIR/drawer")" = x ]
  client pull "$CLOSED/p/box:1"
  client rmi "$CLOSED/p/box:1"
  client logout "$CLOSED"
  [ ! -e "$BATS_TEST_TMPDIR/drawer" ]
  rm "$ENGINE/config/config.json"
}

@test "compose up pulls with the user's password" {
  mkdir -p "$ENGINE/config/cli-plugins" "$BATS_TEST_TMPDIR/proj"
  ln -sf "$PROGRAMS/wherry-compose" "$ENGINE/config/cli-plugins/docker-compose"
  cd "$BATS_TEST_TMPDIR/proj"
  printf 'services: {one: {image: "%s/p/one:1", command: "true"}}\n' "$CLOSED" >compose.yaml
  run -1 client compose up -d
  [[ $output == *'no basic auth credentials'* ]]
  client login -u user --password-stdin "$CLOSED" <<<x
  client tag busybox "$CLOSED/p/one:1"; client push -q "$CLOSED/p/one:1"; client rmi "$CLOSED/p/one:1"
  client compose up -d
  [ "$(client ps -aq --filter label=com.docker.compose.project=proj | wc -l)" = 1 ]
  client compose down --rmi all
  client logout "$CLOSED"
  rm -rf "$ENGINE/config"/{config.json,cli-plugins}
}

@test "a bearer token is fetched with the user's name" {
  run -1 client pull "$FAKE/token"
  echo "{\"auths\": {\"$FAKE\": {\"auth\": \"$(printf user:x | base64)\"}}}" >"$ENGINE/config/config.json"
  client pull "$FAKE/token"
  echo "{\"auths\": {\"$FAKE\": {\"auth\": \"$(printf user:y | base64)\"}}}" >"$ENGINE/config/config.json"
  run -1 client pull "$FAKE/token"
  [[ $output == *'unauthorized: incorrect username or password'* ]]
  rm "$ENGINE/config/config.json"
  client rmi "$FAKE/token"
}

@test "run and create pull what is missing" {
  run -125 client run --rm --pull never "$FAKE/plain"
  [[ $output == *"No such image: $FAKE/plain:latest"* ]]
  run -0 --separate-stderr client run --rm "$FAKE/plain"
  [ "$output" = plain ]
  [[ $stderr == "Unable to find image '$FAKE/plain:latest' locally"* && $stderr == *'Pull complete'* ]]
  : >"$ENGINE/fake.log"
  run -0 client run --rm "$FAKE/plain"
  [ "$output" = plain ] && [ ! -s "$ENGINE/fake.log" ]
  run -0 --separate-stderr client run --rm --pull always "$FAKE/plain"
  [ "$output" = plain ] && [[ $stderr == *'Image is up to date'* ]]
  run -0 client create --name puller -q "$FAKE/plain"
  client rm puller; client rmi "$FAKE/plain"
}

@test "an index gives the image of the platform that is asked for" {
  client pull "$FAKE/index"
  run -0 client run --rm "$FAKE/index"
  [ "$output" = amd64 ]
  run -0 client pull --platform linux/arm64 "$FAKE/index"
  run -0 client image inspect -f '{{.Architecture}}{{.Variant}}' "$FAKE/index"
  [ "$output" = arm64v8 ]
  client pull --platform linux/arm "$FAKE/index"
  run -1 client pull --platform linux/s390x "$FAKE/index"
  [[ $output == *'no matching manifest for linux/s390x in the manifest list entries'* ]]
  run -1 client pull --platform nothing "$FAKE/index"
  [[ $output == *'unknown operating system or architecture'* ]]
  run -0 client run --rm --platform linux/amd64 "$FAKE/index"
  [[ $output == *amd64 ]]
  client rmi -f $(client images -q "$FAKE/index"; client images -qf dangling=true)
}

@test "an OCI image with a plain and a zstd layer" {
  client pull "$FAKE/oci"
  run -0 client run --rm "$FAKE/oci"
  [ "$output" = second ]
  digest=$(client image inspect -f '{{index .RepoDigests 0}}' "$FAKE/oci")
  client tag "$FAKE/oci" "$OPEN/oci:1"
  run -0 client push "$OPEN/oci:1"
  [[ $output == *"${digest#*@}"* ]] # the manifest that it came with
  client rmi "$FAKE/oci" "$OPEN/oci:1"
}

@test "a download that breaks off goes on where it was" {
  for name in cut cut-whole busy; do
    : >"$ENGINE/fake.log"
    run -0 client pull "$FAKE/$name"
    [[ $output == *'Retrying in 1 second'*'Pull complete'* ]]
    [ $name = busy ] || grep -q "GET /v2/$name/blobs/.* bytes=[1-9]" "$ENGINE/fake.log"
    run -0 client run --rm "$FAKE/$name"
    [ "$output" = $name ]
    client rmi "$FAKE/$name"
  done
}

@test "what is not what its digest says is refused and not kept" {
  before=$(blobs)
  for name in wrong wrong-config wrong-manifest; do
    run -1 client pull "$FAKE/$name"
    [[ $output == *'verification failed for digest sha256:'* ]]
  done
  [ "$before" = "$(blobs)" ]
}

@test "two pulls of one image fetch its layer once" {
  : >"$ENGINE/fake.log"
  client pull "$FAKE/slow" >"$BATS_TEST_TMPDIR/one" & one=$!
  client pull "$FAKE/slow" >"$BATS_TEST_TMPDIR/two" & two=$!
  wait $one; wait $two
  grep -q 'Pull complete' "$BATS_TEST_TMPDIR/one" && grep -q 'Pull complete' "$BATS_TEST_TMPDIR/two"
  [ "$(grep -c 'GET /v2/slow/blobs/' "$ENGINE/fake.log")" = 3 ] # the config twice, the layer once
  client rmi "$FAKE/slow"
}

@test "a client that leaves ends its pull, and nothing stays" {
  before=$(blobs)
  : >"$ENGINE/fake.log"
  curl -s --unix-socket "$ENGINE/sock" -X POST "http://d/v1.45/images/create?fromImage=$FAKE/slow&tag=latest" >"$BATS_TEST_TMPDIR/out" & pid=$!
  for i in $(seq 200); do [ "$(grep -c blobs "$ENGINE/fake.log")" -lt 2 ] || break; sleep 0.05; done
  kill $pid
  for i in $(seq 200); do [ "$before" != "$(blobs)" ] || break; sleep 0.05; done
  [ "$before" = "$(blobs)" ]
  run -0 client images -q "$FAKE/slow"
  [ -z "$output" ]
}

@test "distribution, search and login over the API" {
  run -0 api "http://d/v1.45/distribution/$FAKE/index/json"
  [ "$(jq -r '.Descriptor.mediaType' <<<"$output")" = application/vnd.oci.image.index.v1+json ]
  [ "$(jq -r '[.Platforms[].architecture] | join(" ")' <<<"$output")" = 'arm64 amd64 arm unknown' ]
  run -0 api "http://d/v1.45/distribution/$OPEN/a/box:v1/json"
  [ "$(jq -c .Platforms <<<"$output")" = '[{"architecture":"amd64","os":"linux"}]' ]
  run -0 api -X POST -H 'Content-Type: application/json' -d "{\"username\":\"user\",\"password\":\"x\",\"serveraddress\":\"$CLOSED\"}" http://d/v1.45/auth
  [ "$output" = '{"IdentityToken":"","Status":"Login Succeeded"}' ]
  run -0 client search --format '{{.Name}} {{.StarCount}} {{.IsOfficial}}' "$FAKE/anything"
  [ "$output" = $'few 3 \nmany 500 [OK]' ]
  run -0 client search --filter stars=100 --format '{{.Description}}' "$FAKE/anything"
  [ "$output" = 'a a a a a a a a a a a a a a a a a a a a a a …' ]
  run -1 client search --limit 200 "$FAKE/anything"
  [[ $output == *'limit 200 is outside the range of [1, 100]'* ]]
}

@test "a mirror is asked before the Hub" {
  engine_halt && engine_launch --registry-mirror "http://$FAKE" --max-concurrent-downloads 1
  run -0 client pull mirrored
  [[ $output == *'Status: Downloaded newer image for mirrored:latest'* ]]
  [ "${lines[-1]}" = docker.io/library/mirrored:latest ]
  client rmi mirrored
  run "$PROGRAMS/wherryd" --registry-mirror nowhere --validate
  [ "$status" -ne 0 ] && [[ $output == *'invalid mirror: no scheme specified for "nowhere"'* ]]
  run "$PROGRAMS/wherryd" --insecure-registry http://x --validate
  [ "$status" -ne 0 ] && [[ $output == *"insecure registry http://x should not contain '://'"* ]]
  engine_halt && engine_launch
}

@test "a search of a registry that is not there" {
  run -0 api 'http://d/v1.45/images/search?term=127.0.0.1:1/x' -w '%{http_code}'
  [ "$output" = '{"message":"invalid registry endpoint \"http://127.0.0.1:1/v1/\". HTTPS attempt: Get \"https://127.0.0.1:1/v1/_ping\": dial tcp 127.0.0.1:1: connect: connection refused. HTTP attempt: Get \"http://127.0.0.1:1/v1/_ping\": dial tcp 127.0.0.1:1: connect: connection refused"}'$'\n'400 ]
  run -0 api 'http://d/v1.45/images/search?term=registry.invalid/x' -w '%{http_code}'
  [[ $output == *'invalid registry endpoint https://registry.invalid/v1/: Get '*'--insecure-registry registry.invalid'*400 ]]
}

@test "progress on a narrow terminal: a line for each layer, none longer than the terminal" {
  local width=52 i
  for i in 1 2 3; do head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/file"; tar -C "$BATS_TEST_TMPDIR" -c file | client import - "part$i" >/dev/null; done
  client tag part1 "$OPEN/a/narrow:v1"; client push -q "$OPEN/a/narrow:v1"; client rmi "$OPEN/a/narrow:v1" part1
  run -0 at_terminal 24 $width pull "$OPEN/a/narrow:v1" <<'EOF'
expect Pull complete
expect Downloaded newer image
end
screen
EOF
  [[ $output == *'exit 0'* ]]
  # What stands between two movements of the cursor.
  local shown; shown=$(sed -e 's/\x1b\[[0-9;]*[A-Za-z]/\n/g' <<<"$output" | tr '\r' '\n' | grep -v -e '^Digest:' -e '^Status:')
  [ "$(awk -v width=$width 'length > width' <<<"$shown")" = '' ]
  client rmi "$OPEN/a/narrow:v1" part2 part3
}
