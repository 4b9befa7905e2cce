# wherry-registry: who may do what (htpasswd, tokens), TLS, and the cache of another registry.
load ../lib/registry_server
load ../lib/registry
bats_require_minimum_version 1.5.0

setup_file() {
  servers_open
  # Of htpasswd -nbB (apache2-utils): "secret" and "other".
  python3 - "$SERVERS" <<'END'
import ctypes, sys
crypt = ctypes.CDLL('libcrypt.so.1').crypt; crypt.restype = ctypes.c_char_p
line = lambda user, password: user + ':' + crypt(password.encode(), b'$2y$05$abcdefghijklmnopqrstuu').decode() + '\n'
open(sys.argv[1] + '/users', 'w').write('# who\n' + line('ann', 'secret'))
open(sys.argv[1] + '/more', 'w').write(line('bob', 'other'))
END
  server_start R --htpasswd "$SERVERS/users"
}
teardown_file() { servers_close; }

@test "a password is asked for, and checked" {
  for path in /v2/ /v2/_catalog /v2/a/manifests/x /; do
    ask GET "$path"
    [ "$STATUS" = 401 ] && [ "$(header www-authenticate)" = 'Basic realm="wherry-registry"' ] && [ "$(code)" = UNAUTHORIZED ]
  done
  ask GET /v2/ -u ann:secret
  [ "$STATUS" = 200 ]
  for user in ann:wrong nobody:secret ann: :secret "ann:secret$(printf 'x%.0s' $(seq 80))"; do
    ask GET /v2/ -u "$user"
    [ "$STATUS" = 401 ]
  done
  for value in 'Basic !!!' Basic 'Basic YW5u' 'Bearer x' ''; do
    ask GET /v2/ -H "Authorization: $value"
    [ "$STATUS" = 401 ]
  done
  echo x >"$SERVERS/x"
  ask POST "/v2/a/b/blobs/uploads/?digest=$(digest "$SERVERS/x")" -u ann:secret --data-binary "@$SERVERS/x"
  [ "$STATUS" = 201 ]
  ask POST "/v2/a/b/blobs/uploads/?digest=$(digest "$SERVERS/x")" --data-binary "@$SERVERS/x"
  [ "$STATUS" = 401 ]
}

@test "the file of users is read again; one that is wrong changes nothing" {
  ask GET /v2/ -u bob:other
  [ "$STATUS" = 401 ]
  cat "$SERVERS/more" >>"$SERVERS/users"
  ask GET /v2/ -u bob:other
  [ "$STATUS" = 200 ]
  cp "$SERVERS/users" "$SERVERS/good"
  echo 'eve:{SHA}4zJ0YGPiLDff9wRf61PVIsC5Nms=' >>"$SERVERS/users"
  ask GET /v2/ -u bob:other
  [ "$STATUS" = 200 ]
  grep -q 'the password of eve is not a bcrypt hash' "$SERVERS/R/log"
  sed -i '/level=error.*the users stay as they were/d' "$SERVERS/R/log"
  run -1 "$PROGRAMS/wherry-registry" serve --data "$SERVERS/none" --htpasswd "$SERVERS/users"
  [[ $output == *'the password of eve is not a bcrypt hash'* ]]
  head -n 2 "$SERVERS/good" >"$SERVERS/users"
  ask GET /v2/ -u bob:other
  [ "$STATUS" = 401 ]
}

unhex() { python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'; }
base64url() { base64 -w 0 | tr '+/' '-_' | tr -d =; }
token() { # KEY ALGORITHM CLAIMS [HEADER]
  local head; head=$(printf '%s' "${4:-{\"typ\":\"JWT\",\"alg\":\"$2\"\}}" | base64url).$(printf '%s' "$3" | base64url)
  if [ "$2" = ES256 ]; then
    printf '%s' "$head" | openssl dgst -sha256 -sign "$1" >"$SERVERS/der"
    openssl asn1parse -inform DER -in "$SERVERS/der" | sed -n 's/.*INTEGER *://p' |
      while read -r number; do printf '%64s' "$number" | tr ' ' 0; done | unhex | base64url >"$SERVERS/signature"
  else
    printf '%s' "$head" | openssl dgst -sha256 -sign "$1" | base64url >"$SERVERS/signature"
  fi
  printf '%s.%s' "$head" "$(cat "$SERVERS/signature")"
}
claims() { # ACCESS [JQ]
  jq -nc --argjson now "$(date +%s)" --argjson access "$1" '{iss: "issuer", aud: "service", exp: ($now + 300), nbf: $now, access: $access}' | jq -c "${2:-.}"
}

@test "tokens: RS256 and ES256, by certificate, public key and key set" {
  openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=issuer -keyout "$SERVERS/rsa.key" -out "$SERVERS/rsa.crt" 2>/dev/null
  openssl ecparam -name prime256v1 -genkey -noout -out "$SERVERS/ec.key"
  openssl ec -in "$SERVERS/ec.key" -pubout -out "$SERVERS/ec.pub" 2>/dev/null
  openssl genrsa -out "$SERVERS/stranger.key" 2048 2>/dev/null
  cat "$SERVERS/rsa.crt" "$SERVERS/ec.pub" >"$SERVERS/keys.pem"
  server_start T --token-realm https://auth.example/token --token-service service --token-issuer issuer --token-keys "$SERVERS/keys.pem"
  R=$T
  ask GET /v2/
  [ "$STATUS" = 401 ] && [ "$(header www-authenticate)" = 'Bearer realm="https://auth.example/token",service="service"' ]
  ask GET /v2/a/b/manifests/x
  [ "$(header www-authenticate)" = 'Bearer realm="https://auth.example/token",service="service",scope="repository:a/b:pull"' ]
  ask POST /v2/a/b/blobs/uploads/
  [ "$(header www-authenticate)" = 'Bearer realm="https://auth.example/token",service="service",scope="repository:a/b:pull,push"' ]
  ask DELETE /v2/a/b/manifests/x
  [[ $(header www-authenticate) == *',scope="repository:a/b:delete"' ]]
  ask GET /v2/_catalog
  [[ $(header www-authenticate) == *',scope="registry:catalog:*"' ]]
  may() { ask "$3" "$4" -H "Authorization: Bearer $(token "$SERVERS/$1.key" "$2" "$(claims "$5" "${6:-.}")" "${7:-}")" -H 'Content-Length: 0'; }
  pull='[{"type":"repository","name":"a/b","actions":["pull"]}]'
  for key in 'rsa RS256' 'ec ES256'; do
    may $key GET /v2/a/b/manifests/x "$pull"
    [ "$STATUS" = 404 ]
    may $key GET /v2/ '[]'
    [ "$STATUS" = 200 ]
    may $key POST /v2/a/b/blobs/uploads/ "$pull"
    [ "$STATUS" = 401 ] && [[ $(header www-authenticate) == *',error="insufficient_scope"' ]]
    may $key GET /v2/a/c/manifests/x "$pull"
    [ "$STATUS" = 401 ]
    may $key POST /v2/a/b/blobs/uploads/ '[{"type":"repository","name":"a/b","actions":["pull","push"]}]'
    [ "$STATUS" = 202 ]
    place=$(header location)
    may $key DELETE "$place" '[{"type":"repository","name":"a/b","actions":["*"]}]'
    [ "$STATUS" = 204 ]
    may $key GET /v2/_catalog '[{"type":"registry","name":"catalog","actions":["*"]}]'
    [ "$STATUS" = 200 ]
    # Wrong in one thing each.
    for change in '.iss = "other"' '.aud = "other"' '.exp -= 1000' 'del(.exp)' '.nbf += 1000' '.exp = "soon"' 'del(.aud)'; do
      may $key GET /v2/a/b/manifests/x "$pull" "$change"
      [ "$STATUS" = 401 ] && [[ $(header www-authenticate) == *',error="invalid_token"' ]]
    done
    may $key GET /v2/a/b/manifests/x "$pull" '.aud = ["x", "service"]'
    [ "$STATUS" = 404 ]
    may $key GET /v2/a/b/manifests/x "$pull" . '{"alg":"none"}'
    [ "$STATUS" = 401 ]
    may $key GET /v2/a/b/manifests/x "$pull" . '{"alg":"HS256"}'
    [ "$STATUS" = 401 ]
  done
  may stranger RS256 GET /v2/a/b/manifests/x "$pull"
  [ "$STATUS" = 401 ]
  # Changed after it was signed.
  good=$(token "$SERVERS/rsa.key" RS256 "$(claims "$pull")")
  IFS=. read -r one two three <<<"$good"
  forged=$(claims '[{"type":"repository","name":"a/c","actions":["pull"]}]' | tr -d '\n' | base64url)
  for text in "$one.$forged.$three" "$one.$two." "$one.$two" "$one.$two.$three.x" . .. ... '' "$one.$two.${three}A" '%%%.%%%.%%%'; do
    ask GET /v2/a/c/manifests/x -H "Authorization: Bearer $text"
    [ "$STATUS" = 401 ]
  done
  # The same keys as a set; a kid chooses.
  modulus=$(openssl rsa -in "$SERVERS/rsa.key" -noout -modulus | cut -d= -f2 | unhex | base64url)
  point=$(openssl ec -in "$SERVERS/ec.key" -pubout -outform DER 2>/dev/null | tail -c 64 | od -An -v -tx1 | tr -d ' \n')
  jq -nc --arg n "$modulus" --arg x "$(unhex <<<"${point:0:64}" | base64url)" --arg y "$(unhex <<<"${point:64}" | base64url)" \
    '{keys: [{kty: "RSA", kid: "r", n: $n, e: "AQAB"}, {kty: "EC", crv: "P-256", kid: "e", x: $x, y: $y}, {kty: "oct", k: "eA"}]}' >"$SERVERS/keys.json"
  server_end T
  sed -i 's/keys.pem/keys.json/' "$SERVERS/T/arguments"
  server_again T
  may rsa RS256 GET /v2/a/b/manifests/x "$pull" . '{"alg":"RS256","kid":"r"}'
  [ "$STATUS" = 404 ]
  may ec ES256 GET /v2/a/b/manifests/x "$pull" . '{"alg":"ES256","kid":"e"}'
  [ "$STATUS" = 404 ]
  may rsa RS256 GET /v2/a/b/manifests/x "$pull" . '{"alg":"RS256","kid":"e"}'
  [ "$STATUS" = 401 ]
  echo nothing >"$SERVERS/nokeys"
  run -1 "$PROGRAMS/wherry-registry" serve --data "$SERVERS/none" --token-realm x --token-service x --token-issuer x --token-keys "$SERVERS/nokeys"
  [[ $output == *'neither certificates and public keys in PEM nor a JSON web key set'* ]]
  server_end T
}

@test "TLS, with and without client certificates" {
  openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext 'subjectAltName=IP:127.0.0.1' -keyout "$SERVERS/tls.key" -out "$SERVERS/tls.crt" 2>/dev/null
  server_start S --tlscert "$SERVERS/tls.crt" --tlskey "$SERVERS/tls.key"
  head -c 3000000 /dev/urandom >"$SERVERS/blob"; name=$(digest "$SERVERS/blob")
  secure() { curl -s --cacert "$SERVERS/tls.crt" "$@"; }
  [ "$(secure -o /dev/null -w '%{http_code}' -X POST --data-binary "@$SERVERS/blob" "https://$S/v2/a/blobs/uploads/?digest=$name")" = 201 ]
  secure -o "$SERVERS/back" "https://$S/v2/a/blobs/$name" && cmp "$SERVERS/back" "$SERVERS/blob"
  run -0 curl -s "http://$S/v2/"
  [[ $output == 'Client sent an HTTP request to an HTTPS server.'* ]]
  server_end S
  printf '%s\n' --tlscacert "$SERVERS/tls.crt" >>"$SERVERS/S/arguments"
  server_again S
  run ! secure -o /dev/null "https://$S/v2/"
  [ "$(secure --cert "$SERVERS/tls.crt" --key "$SERVERS/tls.key" "https://$S/v2/")" = '{}' ]
  run -1 "$PROGRAMS/wherry-registry" serve --data "$SERVERS/none" --tlscert "$SERVERS/none" --tlskey "$SERVERS/tls.key"
  [[ $output == *'Could not load X509 key pair'* ]]
  server_end S
}

@test "a cache keeps what it has fetched, checks it, and looks tags up again" {
  server_start U
  server_start C --upstream "http://$U"
  R=$U
  make_manifest far/image "$SERVERS/m1" && put_manifest far/image v1 "$SERVERS/m1"
  head -c 3000000 /dev/urandom >"$SERVERS/blob"; name=$(put_blob far/image "$SERVERS/blob")
  R=$C
  ask HEAD "/v2/far/image/blobs/$name"
  [ "$STATUS" = 200 ] && [ "$(header content-length)" = 3000000 ]
  [ -z "$(ls "$SERVERS/C/data/blobs")" ]
  ask GET /v2/far/image/manifests/v1
  [ "$STATUS" = 200 ] && cmp "$SERVERS/body" "$SERVERS/m1"
  # Several at once: one fetch.
  for number in 1 2 3 4; do curl -s -o "$SERVERS/copy$number" "http://$C/v2/far/image/blobs/$name" & pids[number]=$!; done
  wait "${pids[@]}"
  for number in 1 2 3 4; do cmp "$SERVERS/copy$number" "$SERVERS/blob"; done
  [ "$(ls "$SERVERS/C/data/blobs")" = "${name#sha256:}" ]
  # A part of one that was not here.
  layer=$(jq -r '.layers[0].digest' "$SERVERS/m1")
  ask GET "/v2/far/image/blobs/$layer" -H 'Range: bytes=0-4'
  [ "$STATUS" = 206 ] && [ "$(body)" = layer ]
  ask GET /v2/far/image/tags/list
  [ "$(jq -c .tags "$SERVERS/body")" = '["v1"]' ]
  ask GET /v2/far/nobody/tags/list
  [ "$STATUS" = 404 ] && [ "$(code)" = NAME_UNKNOWN ]
  ask GET "/v2/far/image/blobs/sha256:$(printf '%064d' 3)"
  [ "$STATUS" = 404 ] && [ "$(code)" = BLOB_UNKNOWN ]
  ask GET /v2/far/image/manifests/nosuch
  [ "$STATUS" = 404 ] && [ "$(code)" = MANIFEST_UNKNOWN ]
  ask POST /v2/far/image/blobs/uploads/ -H 'Content-Length: 0'
  [ "$STATUS" = 405 ]
  # A tag that moved, and one that is gone.
  R=$U; make_manifest far/image "$SERVERS/m2" && put_manifest far/image v1 "$SERVERS/m2"
  R=$C; ask GET /v2/far/image/manifests/v1
  cmp "$SERVERS/body" "$SERVERS/m2"
  # Without the upstream, what is here counts.
  server_end U
  ask GET /v2/far/image/manifests/v1
  [ "$STATUS" = 200 ] && cmp "$SERVERS/body" "$SERVERS/m2"
  ask GET "/v2/far/image/blobs/$name"
  [ "$STATUS" = 200 ] && cmp "$SERVERS/body" "$SERVERS/blob"
  ask GET /v2/far/image/manifests/other
  [ "$STATUS" = 502 ]
  ask GET "/v2/far/image/blobs/$(jq -r .config.digest "$SERVERS/m2")"
  [ "$STATUS" = 502 ]
  # A blob that is not what it is called is not given in full, and not kept.
  server_again U
  file=$SERVERS/U/data/blobs/$(jq -r .config.digest "$SERVERS/m2" | cut -d: -f2)
  tr a-z b-za <"$file" >"$SERVERS/rotten"; cat "$SERVERS/rotten" >"$file"
  run ! curl -s -f -o "$SERVERS/body" "http://$C/v2/far/image/blobs/$(jq -r .config.digest "$SERVERS/m2")"
  run ! cmp -s "$SERVERS/body" "$SERVERS/rotten"
  [ ! -e "$SERVERS/C/data/blobs/${file##*/}" ]
  grep -q "level=error.*the upstream's blob is not" "$SERVERS/C/log"
  sed -i "/level=error.*the upstream's blob is not/d" "$SERVERS/C/log"
  server_end C; server_end U
}

@test "a cache of a registry that wants a password" {
  server_start P --htpasswd "$SERVERS/good"
  printf secret >"$SERVERS/password"
  server_start D --upstream "http://$P" --upstream-user ann --upstream-password-file "$SERVERS/password" --upstream-age 1h
  server_start E --upstream "http://$P"
  echo x >"$SERVERS/x"; name=$(digest "$SERVERS/x")
  curl -s -u ann:secret --data-binary "@$SERVERS/x" "http://$P/v2/a/blobs/uploads/?digest=$name"
  R=$D; ask GET "/v2/a/blobs/$name"
  [ "$STATUS" = 200 ] && cmp "$SERVERS/body" "$SERVERS/x"
  R=$E; ask GET "/v2/a/blobs/$name"
  [ "$STATUS" != 200 ] && [ "$STATUS" -ge 400 ]
  server_end P; server_end D; server_end E
}
