# wherry-registry's web page. With chromium, where it is installed, as a person sees it.
load ../lib/registry_server
bats_require_minimum_version 1.5.0

setup_file() {
  servers_open && server_start R
  jq -nc '{architecture: "arm64", os: "linux", author: "Ann", history: [{created: "2024-05-06T07:08:09Z", created_by: "RUN make <b>it</b>"}, {created_by: "CMD [\"sh\"]", empty_layer: true}]}' >"$SERVERS/image"
  make_manifest team/shop "$SERVERS/m1"
  config=$(put_blob team/shop "$SERVERS/image")
  jq -c ".config.digest = \"$config\" | .config.size = $(size "$SERVERS/image")" "$SERVERS/m1" >"$SERVERS/m2"
  put_manifest team/shop v1.5 "$SERVERS/m2"; put_manifest team/shop latest "$SERVERS/m2"
  make_manifest other/thing "$SERVERS/m3" && put_manifest other/thing nightly "$SERVERS/m3"
}
teardown_file() { servers_close; }

# The page as it is after its scripts have run, as text.
seen() { # ADDRESS
  timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$SERVERS/chromium" --virtual-time-budget=10000 \
    --dump-dom "http://$R/$1" 2>"$SERVERS/chromium.log" >"$SERVERS/dom"
  python3 -c '
import html, re, sys
text = re.sub(r"(?s).*<main[^>]*>|</main>.*", "", open(sys.argv[1]).read())
print(re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", text))))' "$SERVERS/dom"
}
needs_chromium() { command -v chromium >/dev/null || skip 'no chromium'; }

@test "one page, nothing from elsewhere" {
  ask GET /
  [ "$STATUS" = 200 ] && [ "$(header content-type)" = 'text/html; charset=utf-8' ]
  [[ $(header content-security-policy) == "default-src 'none'; "* ]] && [ "$(header x-content-type-options)" = nosniff ]
  run ! grep -E '(src|href)="?(https?:)?//' "$SERVERS/body"
  cmp "$SERVERS/body" "$BATS_TEST_DIRNAME/../../src/distribution/page.html"
  ask HEAD /
  [ "$STATUS" = 200 ]
  ask POST /
  [ "$STATUS" = 405 ]
}

@test "repositories, and a search" {
  needs_chromium
  run -0 seen ''
  [[ $output == *'other/thing 1 nightly'*'team/shop 2 latest v1.5'* ]]
  run -0 seen '#?NIGHT'
  [[ $output == *'other/thing 1 nightly'* && $output != *team/shop* ]]
  run -0 seen '#?shop'
  [[ $output == *'team/shop 2 latest v1.5'* && $output != *other/thing* ]]
  run -0 seen '#?nosuch'
  [[ $output == *'Nothing is called so.'* ]]
}

@test "tags with their sizes" {
  needs_chromium
  run -0 seen '#team%2Fshop'
  name=$(digest "$SERVERS/m2") bytes=$(jq '.config.size + .layers[0].size' "$SERVERS/m2")
  [[ $output == *"latest ${name:0:19} 1 $bytes B"*"v1.5 ${name:0:19} 1 $bytes B"* ]]
  run -0 seen '#nobody'
  [[ $output == *'repository name not known to registry'* ]]
}

@test "an image: layers, platform, the history of its Dockerfile, as text" {
  needs_chromium
  run -0 seen '#team%2Fshop/v1.5'
  [[ $output == *"$(digest "$SERVERS/m2") $OCI"*'linux/arm64 · Ann'*"$(jq -r '.layers[0].digest' "$SERVERS/m2")"* ]]
  [[ $output == *'History'*'2024-05-06 07:08:09 RUN make <b>it</b>'*'CMD ["sh"]'* ]]
  run ! grep -q '<b>it</b>' "$SERVERS/dom"
}
