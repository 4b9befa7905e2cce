# TLS with client certificates on tcp, and the metrics listener.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox && certificates && engine_halt TERM
  engine_launch -H tcp://127.0.0.1:24376 --tlsverify --tlscacert "$ENGINE/tls/ca.pem" --tlscert "$ENGINE/tls/cert.pem" \
    --tlskey "$ENGINE/tls/key.pem" --metrics-addr 127.0.0.1:24323
}
teardown_file() { engine_stop; }

certificates() { # tls/: ca, the server's pair, the client's in tls/client
  mkdir -p "$ENGINE/tls/client"; cd "$ENGINE/tls"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca-key.pem -out ca.pem -subj /CN=ca -days 2
  pair() { # FOLDER NAME EXTENSIONS
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/key.pem" -out "$1/csr.pem" -subj "/CN=$2"
    openssl x509 -req -in "$1/csr.pem" -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out "$1/cert.pem" -days 2 -extfile <(echo "$3")
  }
  pair . server 'subjectAltName=IP:127.0.0.1'; pair client client 'extendedKeyUsage=clientAuth'
  cp ca.pem client/; cd - >/dev/null
} 2>/dev/null
tls() { # a docker client over TLS
  "${DOCKER:-docker}" -H tcp://127.0.0.1:24376 --tlsverify --tlscacert "$ENGINE/tls/client/ca.pem" \
    --tlscert "$ENGINE/tls/client/cert.pem" --tlskey "$ENGINE/tls/client/key.pem" "$@"
}
secure_curl() { curl -s --cacert "$ENGINE/tls/ca.pem" --cert "$ENGINE/tls/client/cert.pem" --key "$ENGINE/tls/client/key.pem" "$@"; }

@test "requests, big bodies and pipelined ones over TLS" {
  run -0 secure_curl https://127.0.0.1:24376/_ping; [ "$output" = OK ]
  run -0 secure_curl https://127.0.0.1:24376/v1.45/version https://127.0.0.1:24376/_ping; [[ $output == *ApiVersion*OK ]]
  secure_curl -o "$BATS_TEST_TMPDIR/image.tar" https://127.0.0.1:24376/images/busybox/get
  tar -tf "$BATS_TEST_TMPDIR/image.tar" | grep -q manifest.json
  run -0 secure_curl -H 'Content-Type: application/x-tar' --data-binary "@$BATS_TEST_TMPDIR/image.tar" https://127.0.0.1:24376/images/load
  [[ $output == *'Loaded image: busybox:latest'* ]]
}

@test "who has no certificate, or does not speak TLS, is refused" {
  run ! curl -s --cacert "$ENGINE/tls/ca.pem" https://127.0.0.1:24376/_ping
  run -0 curl -s http://127.0.0.1:24376/_ping
  [ "$output" = 'Client sent an HTTP request to an HTTPS server.' ]
}

@test "docker over TLS: attach with both directions, half-close, streams that end" {
  [ -x "$(command -v "${DOCKER:-docker}")" ] || skip 'no docker client'
  run -0 bash -c "$(declare -f tls); export DOCKER=$DOCKER; echo question | tls run --rm -i busybox cat"
  [ "$output" = question ]
  run -3 tls run --rm busybox sh -c 'echo out; echo err >&2; exit 3'
  [ "$(head -c 3000000 /dev/zero | tls run --rm -i busybox wc -c)" = 3000000 ]
  [ "$(tls run --rm busybox head -c 3000000 /dev/zero | wc -c)" = 3000000 ]
}

@test "metrics on a listener of their own" {
  client run --name measured busybox sh -c 'exit 3' || [ $? = 3 ]
  run -0 curl -s http://127.0.0.1:24323/metrics
  [[ $output == *'engine_daemon_container_states_containers{state="stopped"} 1'* ]]
  grep '^wherry_container_last_exit_code{.*name="measured",image="busybox",cause="exit",by=""} 3$' <<<"$output"
  client rm measured
  run -0 curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:24323/other; [ "$output" = 404 ]
}

@test "bad TLS files are told as dockerd tells them" {
  run ! "$PROGRAMS/wherryd" -H "unix://$ENGINE/s2" --data-root "$ENGINE/d2" --exec-root "$ENGINE/r2" --pidfile "$ENGINE/p2" --tls --tlscert /nosuch --tlskey /nosuch
  [[ $output == *'invalid TLS configuration: Could not load X509 key pair (cert: "/nosuch", key: "/nosuch"): open /nosuch: no such file or directory'* ]]
}
