# Contexts, hosts and TLS: which engine the command line talks to.

bats_require_minimum_version 1.5.0

setup_file() {
  source "$BATS_TEST_DIRNAME/../lib/engine.bash"
  engine_start
  image_busybox
  mkdir -p "$ENGINE/pki"; cd "$ENGINE/pki" || return 1
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca-key.pem -out ca.pem -subj /CN=authority -days 2 2>/dev/null
  local who
  for who in server client; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $who-key.pem -out $who.csr -subj /CN=$who 2>/dev/null
    openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -out $who.pem \
      -extfile <(echo 'subjectAltName=IP:127.0.0.1,DNS:localhost') 2>/dev/null
  done
  cp client.pem cert.pem; cp client-key.pem key.pem
  python3 "$BATS_TEST_DIRNAME/../lib/tls_proxy.py" "$ENGINE/sock" server.pem server-key.pem ca.pem "$ENGINE/port" 3>&- &
  echo $! >"$ENGINE/proxy"
  local i; for i in $(seq 200); do [ -e "$ENGINE/port" ] && break; sleep 0.05; done
}
teardown_file() {
  kill "$(cat "$ENGINE/proxy")"
  engine_stop
}
setup() {
  source "$BATS_TEST_DIRNAME/../lib/engine.bash"
  needs_recent_client
  CONFIG=$BATS_TEST_TMPDIR/config
  mkdir -p "$CONFIG"
}

# The client with a configuration of its own and no host in the environment.
bare() {
  local program=$PROGRAMS/wherry
  [ "$CLIENT" = wherry ] || program=${DOCKER:-docker}
  env -u DOCKER_HOST -u WHERRY_HOST DOCKER_CONFIG="$CONFIG" "$program" "$@"
}

@test "a context is made, used, shown, changed and removed" {
  run -0 bare context create here --description 'this engine' --docker "host=unix://$ENGINE/sock"
  [ "${lines[0]}" = here ] && [ "${lines[1]}" = 'Successfully created context "here"' ]
  run -0 bare --context here version --format '{{.Server.Os}}'
  [ "$output" = linux ]
  run -0 bare context use here
  [ "$(bare context show)" = here ]
  [ "$(cat "$CONFIG/config.json")" = $'{\n\t"auths": {},\n\t"currentContext": "here"\n}' ]
  [ "$(bare version --format '{{.Server.Os}}')" = linux ]
  [ "$(bare context ls --format '{{.Name}} {{.Current}} {{.DockerEndpoint}}' | grep here)" = "here true unix://$ENGINE/sock" ]
  [ "$(bare context inspect --format '{{.Endpoints.docker.Host}}')" = "unix://$ENGINE/sock" ]
  run -0 bare context update here --description changed
  run -1 bare context rm here
  [ "$output" = 'context "here" is in use, set -f flag to force remove' ]
  run -0 bare context rm -f here
  [ "$(bare context show)" = default ]
}

@test "both clients share the store of contexts" {
  [ "$CLIENT" = wherry ] || skip 'once is enough'
  [ -n "${DOCKER:-$(command -v docker)}" ] || skip 'no docker client'
  local pki=$ENGINE/pki
  bare context create tls --docker "host=tcp://127.0.0.1:1,ca=$pki/ca.pem,cert=$pki/cert.pem,key=$pki/key.pem,skip-tls-verify=true"
  ours=$(bare context inspect tls)
  CLIENT=docker
  [ "$(bare context inspect tls)" = "$ours" ]
  bare context create theirs --description x --from tls
  theirs=$(bare context inspect theirs)
  CLIENT=wherry
  [ "$(bare context inspect theirs)" = "$theirs" ]
}

@test "a context goes through an archive" {
  local pki=$ENGINE/pki
  bare context create one --description d --docker "host=tcp://127.0.0.1:1,ca=$pki/ca.pem"
  bare context export one "$BATS_TEST_TMPDIR/one.tar"
  run -1 bare context export one "$BATS_TEST_TMPDIR/one.tar"
  [[ $output == *'file exists' ]]
  bare context import two "$BATS_TEST_TMPDIR/one.tar"
  [ "$(bare context inspect two --format '{{.Endpoints.docker.Host}} {{json .TLSMaterial}}')" = 'tcp://127.0.0.1:1 {"docker":["ca.pem"]}' ]
  bare context export two - | bare context import three -
  [ "$(bare context ls -q)" = $'default\none\nthree\ntwo' ]
  echo nothing >"$BATS_TEST_TMPDIR/other"
  tar -C "$BATS_TEST_TMPDIR" -cf "$BATS_TEST_TMPDIR/bad.tar" other
  run -1 bare context import four "$BATS_TEST_TMPDIR/bad.tar"
  [[ $output == *'unexpected context file'* ]]
  run -1 bare context inspect four
}

@test "names, endpoints and missing contexts are checked" {
  run -1 bare context create default
  [ "$output" = '"default" is a reserved context name' ]
  run -1 bare context create bad/name
  [ "$output" = 'context name "bad/name" is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"' ]
  run -1 bare context create one --docker host=tcp://h,bogus=1
  [ "$output" = 'unable to create docker endpoint config: unrecognized config key: bogus' ]
  run -125 bare context create one --docker host
  [ "${lines[0]}" = 'invalid argument "host" for "--docker" flag: host must be formatted as key=value' ]
  run -1 bare --context nope ps
  [[ $output == 'Failed to initialize: unable to resolve docker endpoint: context "nope": context not found: open '* ]]
  run -1 bare context use nope
  run -1 bare --context x -H tcp://y ps
  [ "$output" = 'conflicting options: cannot specify both --host and --context' ]
}

@test "flags, environment and config.json are asked in docker's order" {
  bare context create here --docker "host=unix://$ENGINE/sock"
  bare context create gone --docker host=unix:///nowhere
  bare context use gone
  run -1 bare ps
  DOCKER_CONTEXT=here run -0 bare ps
  DOCKER_CONTEXT=gone run -0 bare --context here ps
  DOCKER_CONTEXT=gone run -0 bare -H "unix://$ENGINE/sock" ps
  [ "$(DOCKER_HOST=x bare context show)" = gone ] # bare takes it away
}

@test "TLS: verified with our certificate, refused without, and unverified" {
  local pki=$ENGINE/pki host; host=tcp://127.0.0.1:$(cat "$ENGINE/port")
  run -0 bare -H "$host" --tlsverify --tlscacert "$pki/ca.pem" --tlscert "$pki/cert.pem" --tlskey "$pki/key.pem" version --format '{{.Server.Os}}'
  [ "$output" = linux ]
  run -0 env DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$pki" bash -c "$(declare -f bare); CLIENT=$CLIENT PROGRAMS=$PROGRAMS CONFIG=$CONFIG DOCKER=${DOCKER:-docker}; bare -H $host run --rm busybox echo over tls"
  [ "$output" = 'over tls' ]
  run -1 bare -H "$host" --tlsverify --tlscacert "$pki/client.pem" --tlscert "$pki/cert.pem" --tlskey "$pki/key.pem" ps
  [[ $output == *'failed to verify certificate'* ]]
  run -0 bare -H "$host" --tls --tlscacert "$pki/ca.pem" --tlscert "$pki/cert.pem" --tlskey "$pki/key.pem" ps -q
  run -1 bare -H "$host" --tlsverify ps
  [[ $output == *"open $CONFIG/ca.pem: no such file or directory" ]]
  bare context create tls --docker "host=$host,ca=$pki/ca.pem,cert=$pki/cert.pem,key=$pki/key.pem"
  run -0 bare --context tls version --format '{{.Server.Os}}'
  [ "$output" = linux ]
}

@test "ssh: the engine's own dial-stdio on the other side" {
  # An ssh that runs the command here.
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/bin/ssh" <<END
#!/bin/bash
echo "\$*" >>"$BATS_TEST_TMPDIR/ssh-calls"
[[ \$* != *unreachable* ]] || { echo 'ssh: no route' >&2; exit 255; }
while [ "\$1" != -- ]; do shift; done
shift 2
unset DOCKER_HOST
export WHERRY_HOST=unix://$ENGINE/sock
exec sh -c "\$*"
END
  chmod +x "$BATS_TEST_TMPDIR/bin/ssh"
  printf '#!/bin/sh\nexec "%s" "$@"\n' "$PROGRAMS/wherry" >"$BATS_TEST_TMPDIR/bin/docker-real"
  chmod +x "$BATS_TEST_TMPDIR/bin/docker-real"
  ln "$BATS_TEST_TMPDIR/bin/docker-real" "$BATS_TEST_TMPDIR/bin/docker"
  ln "$BATS_TEST_TMPDIR/bin/docker-real" "$BATS_TEST_TMPDIR/bin/wherry"
  DOCKER=${DOCKER:-$(command -v docker)}
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
  run -0 bare -H ssh://me@far:2222 run --rm busybox echo over ssh
  [ "$output" = 'over ssh' ]
  grep -q -- '-o ConnectTimeout=30 -T -l me -p 2222 -- far ' "$BATS_TEST_TMPDIR/ssh-calls"
  run -0 bash -c "echo into | PATH=$PATH DOCKER_CONFIG=$CONFIG $([ "$CLIENT" = docker ] && echo "$DOCKER" || echo "$PROGRAMS/wherry") -H ssh://far run -i --rm busybox cat"
  [ "$output" = into ]
  run -1 bare -H ssh://unreachable ps
  [[ $output == *'has exited with exit status 255, make sure the URL is valid'*'ssh: no route'* ]]
  run -1 bare -H ssh://me:secret@far ps
  [ "$output" = 'Failed to initialize: ssh host connection is not valid: invalid SSH URL: plain-text password is not supported' ]
}
