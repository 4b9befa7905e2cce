# Where a container's output goes besides its file: each driver against a stand-in of its server that is strict about the protocol.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }
setup() { SERVER='' JOURNAL='' OUT=$BATS_TEST_TMPDIR/out; }
teardown() {
  [ -z "$JOURNAL" ] || { rm -f "$JOURNAL"; rmdir -p "${JOURNAL%/*}" 2>/dev/null || true; }
  [ -z "$SERVER" ] || { kill "$SERVER"; wait "$SERVER" || true; }
  [ ! -e "$OUT" ] || ! grep BAD "$OUT"
}

serve() { # KIND ADDRESS [CERTIFICATE KEY]: starts a stand-in and waits until it listens
  python3 "$BATS_TEST_DIRNAME/../lib/log_server.py" "$1" "$2" "$OUT" "${@:3}" >"$BATS_TEST_TMPDIR/ready" 2>&1 3>&- &
  SERVER=$!
  local i
  for i in $(seq 600); do [ ! -s "$BATS_TEST_TMPDIR/ready" ] || return 0; sleep 0.05; done
  return 1
}
came() { # COUNT: waits until so many messages have come
  local i
  for i in $(seq 600); do [ "$(wc -l <"$OUT")" -lt "$1" ] || return 0; sleep 0.05; done
  cat "$OUT" >&2
  return 1
}
# A port of our own network namespace, or one that is free: other tests of this machine have theirs.
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
loggers_are_gone() { # IDS…: their wherry-logger ends with them
  local id i
  for id; do
    for i in $(seq 600); do pgrep -f "wherry-logger $id" >/dev/null || break; sleep 0.05; done
    run ! pgrep -f "wherry-logger $id"
  done
}
both='echo out; echo err >&2'

@test "local: read back with both streams, the tail, rotated and compressed files" {
  client run --name ll --log-driver local busybox sh -c "$both"
  [ "$(client logs ll 2>/dev/null)" = out ]
  [ "$(client logs ll 2>&1 >/dev/null)" = err ]
  [ "$(client inspect -f '{{.LogPath}}' ll)" = '' ]
  client run --name rr --log-driver local --log-opt max-size=2k --log-opt max-file=50 busybox seq 400 >/dev/null
  local folder; folder=$ENGINE/data/containers/$(client inspect -f '{{.Id}}' rr)/local-logs
  for _ in $(seq 100); do ls "$folder"/container.log.1 2>/dev/null || break; sleep 0.05; done
  ls "$folder"/container.log.2.gz
  [ "$(client logs rr)" = "$(seq 400)" ]
  [ "$(client logs -n 100 rr)" = "$(seq 301 400)" ]
  [ "$(client logs -n 0 rr)" = '' ]
  client run --name long --log-driver local busybox sh -c 'head -c 40000 /dev/zero | tr "\0" y; echo; printf end' >/dev/null
  [ "$(client logs long | head -n 1 | wc -c)" = 40001 ]
  [ "$(client logs -n 1 long)" = end ]
  client rm ll rr long
}

@test "none: nothing is kept, and logs says so" {
  client run --name nn --log-driver none busybox echo x
  run -1 client logs nn
  [ "$output" = 'Error response from daemon: configured logging driver does not support reading' ]
  client rm nn
}

@test "json-file: labels, environment and tag are on every line" {
  client run --name jj --label a=1 --label b=2 -e 'E=x y&' --log-opt labels=a --log-opt env-regex='^E' \
    --log-opt tag='{{.Name}}/{{.ImageName}}' busybox sh -c 'echo one; echo two' >/dev/null
  [ "$(client logs --details jj)" = $'E=x+y%26,a=1,tag=jj%2Fbusybox one\nE=x+y%26,a=1,tag=jj%2Fbusybox two' ]
  [ "$(client logs jj)" = $'one\ntwo' ]
  local path; path=$(client inspect -f '{{.LogPath}}' jj)
  [ "$(jq -c .attrs "$path" | sort -u)" = '{"E":"x y&","a":"1","tag":"jj/busybox"}' ]
  client rm jj
}

@test "syslog over udp, tcp and unix sockets, in each format" {
  local p; p=$(port)
  serve syslog udp:$p
  client run --rm --log-driver syslog --log-opt syslog-address=udp://127.0.0.1:$p busybox sh -c "$both" >/dev/null 2>&1
  came 2
  [ "$(jq -r 'select(.priority == 30) | .form + " " + .text' "$OUT")" = 'unix out' ]
  [ "$(jq -r 'select(.priority == 27) | .form + " " + .text' "$OUT")" = 'unix err' ]
  kill "$SERVER"; wait "$SERVER" || true; rm "$OUT"
  serve syslog tcp:$p
  local format
  for format in rfc3164 rfc5424 rfc5424micro; do
    client run --rm --name "x$format" --log-driver syslog --log-opt syslog-address=tcp://127.0.0.1:$p --log-opt syslog-facility=local3 \
      --log-opt syslog-format=$format --log-opt tag='{{.Name}}' busybox echo "a $format" >/dev/null
  done
  came 3
  [ "$(jq -r '[.form, .tag, .text, (.priority | tostring), .host] | join(" ")' "$OUT" | sort)" = \
    "$(for format in rfc3164 rfc5424 rfc5424micro; do echo "$format x$format a $format 158 $(hostname)"; done)" ]
  kill "$SERVER"; wait "$SERVER" || true; rm "$OUT"
  serve syslog unixgram:"$BATS_TEST_TMPDIR/socket"
  local id; id=$(client run -d --log-driver syslog --log-opt syslog-address=unixgram://"$BATS_TEST_TMPDIR/socket" busybox echo local)
  came 1
  [ "$(jq -r .tag "$OUT")" = "${id:0:12}" ]
  [ "$(client logs "$id")" = local ]
  client rm "$id"
  loggers_are_gone "$id"
}

@test "syslog over TLS: a server that is not trusted is refused" {
  command -v openssl || skip 'needs openssl'
  local p; p=$(port)
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$BATS_TEST_TMPDIR/key" -out "$BATS_TEST_TMPDIR/cert" -days 1 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 2>/dev/null
  serve syslog-tls tcp:$p "$BATS_TEST_TMPDIR/cert" "$BATS_TEST_TMPDIR/key"
  local address=syslog-address=tcp+tls://127.0.0.1:$p
  run -125 client run --rm --log-driver syslog --log-opt $address busybox true
  [[ "$output" = *'failed to initialize logging driver: tls: '* ]]
  client run --rm --log-driver syslog --log-opt $address --log-opt syslog-format=rfc5424 \
    --log-opt syslog-tls-ca-cert="$BATS_TEST_TMPDIR/cert" busybox echo secret >/dev/null
  client run --rm --log-driver syslog --log-opt $address --log-opt syslog-tls-skip-verify=true busybox echo blind >/dev/null
  came 2
  [ "$(jq -r '.form + " " + .text' "$OUT" | sort)" = $'rfc5424 secret\nunix blind' ]
}

@test "fluentd: records, partial lines, sub-seconds, acknowledgements" {
  local p; p=$(port)
  serve fluentd tcp:$p
  local id; id=$(client run -d --name ff --label a=1 --log-driver fluentd --log-opt fluentd-address=127.0.0.1:$p --log-opt labels=a --log-opt tag=t.{{.Name}} \
    busybox sh -c "$both; head -c 20000 /dev/zero | tr '\0' z; echo")
  came 4
  [ "$(jq -r 'select(.record.log == "out") | .record.container_name + " " + .record.container_id + " " + .record.a + " " + .tag + " " + .time' "$OUT")" = "/ff $id 1 t.ff seconds" ]
  [ "$(jq -r 'select(.record.source == "stderr") | .record.log' "$OUT")" = err ]
  [ "$(jq -r 'select(.record.partial_message == "true") | [.record.partial_ordinal, .record.partial_last, (.record.log | length | tostring)] | join(" ")' "$OUT")" = $'1 false 16384\n2 true 3616' ]
  [ "$(jq -r '.record.partial_id // empty' "$OUT" | sort -u | wc -l)" = 1 ]
  client rm ff
  client run --rm --log-driver fluentd --log-opt fluentd-address=127.0.0.1:$p --log-opt fluentd-request-ack=true \
    --log-opt fluentd-sub-second-precision=true busybox seq 3 >/dev/null
  came 7
  [ "$(jq -r 'select(.time == "sub-second") | .record.log' "$OUT")" = "$(seq 3)" ]
}

@test "fluentd: an asynchronous connection is renewed after its interval" {
  local p; p=$(port)
  serve fluentd tcp:$p
  client run --rm --log-driver fluentd --log-opt fluentd-address=127.0.0.1:$p --log-opt fluentd-async=true \
    --log-opt fluentd-async-reconnect-interval=100ms busybox sh -c 'echo a; sleep 1; echo b' >/dev/null
  came 2
  [ "$(jq -r '.source_connection' "$OUT" | sort -u | wc -l)" = 2 ]
}

@test "fluentd that is away: a start fails, or waits for it when asynchronous" {
  local p; p=$(port)
  run -125 client run --rm --log-driver fluentd --log-opt fluentd-address=127.0.0.1:$p busybox true
  [[ "$output" = *"failed to create task for container: failed to initialize logging driver: dial tcp 127.0.0.1:$p: connect: connection refused"* ]]
  local id; id=$(client run -d --log-driver fluentd --log-opt fluentd-async=true --log-opt fluentd-retry-wait=100ms \
    --log-opt fluentd-address=127.0.0.1:$p busybox sh -c 'seq 5; sleep 1000')
  for _ in $(seq 100); do [ "$(client logs "$id")" != "$(seq 5)" ] || break; sleep 0.05; done
  serve fluentd tcp:$p
  came 5
  [ "$(jq -r .record.log "$OUT")" = "$(seq 5)" ]
  client rm -f "$id"
  loggers_are_gone "$id"
}

@test "gelf: gzip, zlib and chunks over udp, NUL over tcp" {
  local p; p=$(port)
  serve gelf udp:$p
  local g=(--log-driver gelf --log-opt gelf-address=udp://127.0.0.1:$p)
  client run --rm --name gg --label my=1 "${g[@]}" --log-opt labels=my busybox sh -c "$both" >/dev/null 2>&1
  client run --rm "${g[@]}" --log-opt gelf-compression-type=zlib --log-opt gelf-compression-level=9 busybox echo 'z "é"' >/dev/null
  client run --rm "${g[@]}" --log-opt gelf-compression-type=none busybox sh -c 'head -c 9000 /dev/zero | tr "\0" n; echo' >/dev/null
  came 4
  [ "$(jq -r '.form + " " + .short_message' "$OUT" | cut -c1-20 | sort)" = $'chunks none nnnnnnnn\ngzip err\ngzip out\nzlib z "é"' ]
  [ "$(jq -r 'select(.short_message == "err") | [.level, ._container_name, ._image_name, ._my, .host] | join(" ")' "$OUT")" = "3 gg busybox 1 $(hostname)" ]
  [ "$(jq -r 'select(.level == 6) | ._command' "$OUT" | head -n 1)" = "sh -c $both" ]
  kill "$SERVER"; wait "$SERVER" || true; rm "$OUT"
  run -125 client run --rm --log-driver gelf --log-opt gelf-address=tcp://127.0.0.1:$p busybox true
  [[ "$output" = *"gelf: cannot connect to GELF endpoint: 127.0.0.1:$p dial tcp 127.0.0.1:$p: connect: connection refused"* ]]
  serve gelf tcp:$p
  client run --rm --log-driver gelf --log-opt gelf-address=tcp://127.0.0.1:$p busybox seq 3 >/dev/null
  came 3
  [ "$(jq -r '.form + .short_message' "$OUT")" = $'tcp1\ntcp2\ntcp3' ]
}

@test "journald: native fields, newlines and large lines" {
  [ ! -e /run/systemd/journal/socket ] || skip 'a journal runs here'
  run -125 client run --rm --log-driver journald busybox true
  [[ "$output" = *'failed to initialize logging driver: journald is not enabled on this host'* ]]
  JOURNAL=/run/systemd/journal/socket
  mkdir -p "${JOURNAL%/*}"
  serve journald unixgram:/run/systemd/journal/socket
  local id; id=$(client run -d --name jj --label a.b=1 --log-driver journald --log-opt labels=a.b --log-opt tag=T busybox \
    sh -c "$both; head -c 20000 /dev/zero | tr '\0' j; echo")
  came 4
  [ "$(jq -r 'select(.MESSAGE == "out") | [.PRIORITY, .CONTAINER_ID, .CONTAINER_ID_FULL, .CONTAINER_NAME, .CONTAINER_TAG, .SYSLOG_IDENTIFIER, .IMAGE_NAME, .A_B] | join(" ")' "$OUT")" = \
    "6 ${id:0:12} $id jj T T busybox 1" ]
  [ "$(jq -r 'select(.MESSAGE == "err") | .PRIORITY' "$OUT")" = 3 ]
  [ "$(jq -r 'select(.CONTAINER_PARTIAL_ID) | [.CONTAINER_PARTIAL_ORDINAL, .CONTAINER_PARTIAL_LAST, .CONTAINER_PARTIAL_MESSAGE] | join(" ")' "$OUT")" = $'1 false true\n2 true ' ]
  [ "$(client logs jj 2>/dev/null | tail -n 1 | wc -c)" = 20001 ]
  client rm jj
}

@test "non-blocking: a server that takes nothing does not stop the container" {
  local p; p=$(port)
  # It accepts and never reads.
  python3 -c "import socket, time
s = socket.socket(); s.bind(('127.0.0.1', $p)); s.listen(); print('ready', flush=True); c = s.accept(); time.sleep(1000)" >"$BATS_TEST_TMPDIR/ready" 3>&- &
  SERVER=$!
  for _ in $(seq 100); do [ ! -s "$BATS_TEST_TMPDIR/ready" ] || break; sleep 0.05; done
  local o=(--log-driver fluentd --log-opt fluentd-address=127.0.0.1:$p --log-opt mode=non-blocking --log-opt max-buffer-size=100k)
  timeout 100 bash -c 'source "$0"; shift 0; client "$@"' "$BATS_TEST_DIRNAME/../lib/engine.bash" run --name nb "${o[@]}" busybox \
    sh -c 'yes 0123456789012345678901234567890123456789 | head -c 3000000' >/dev/null
  [ "$(client logs nb | wc -c)" -gt 1000 ]
  client rm nb
  kill "$SERVER"; wait "$SERVER" || true; SERVER=''
}

@test "logs works with every driver through the cache, unless it is disabled" {
  local p; p=$(port)
  client run --name cc --log-driver gelf --log-opt gelf-address=udp://127.0.0.1:$p --log-opt cache-max-size=2k --log-opt cache-max-file=2 \
    --log-opt cache-compress=false busybox seq 400 >/dev/null
  [ "$(client logs -n 1 cc)" = 400 ]
  [ "$(client logs cc | head -n 1)" -gt 200 ]
  client run --name dd --log-driver gelf --log-opt gelf-address=udp://127.0.0.1:$p --log-opt cache-disabled=true busybox true
  run -1 client logs dd
  [ "$output" = 'Error response from daemon: configured logging driver does not support reading' ]
  client rm cc dd
}

@test "what the daemon and the container are told wrongly is refused in Docker's words" {
  local before; before=$(client ps -aq)
  refused() { # MESSAGE ARGUMENTS…
    run -125 client run --rm "${@:2}" busybox true
    [[ "$output" = *"Error response from daemon: $1"* ]]
  }
  refused "unknown log opt 'x' for json-file log driver" --log-opt x=1
  refused "unknown log opt 'x' for log driver local" --log-driver local --log-opt x=1
  refused 'error looking up logging plugin nosuch: plugin "nosuch" not found' --log-driver nosuch
  refused 'the logging driver awslogs is not supported by Wherry' --log-driver awslogs
  refused 'logger: logging mode not supported: x' --log-opt mode=x
  refused 'gelf-address is a required parameter' --log-driver gelf
  refused 'failed to create task for container: failed to initialize logging driver: Unix syslog delivery error' --log-driver syslog
  [ "$(client ps -aq)" = "$before" ]
  run -1 "$PROGRAMS/wherryd" --data-root "$BATS_TEST_TMPDIR/d" --exec-root "$BATS_TEST_TMPDIR/r" --pidfile "$BATS_TEST_TMPDIR/p" \
    --bridge none -H "unix://$BATS_TEST_TMPDIR/s" --log-opt x=1
  [[ "$output" = *"failed to start daemon: failed to set log opts: unknown log opt 'x' for json-file log driver"* ]]
}

@test "info names the drivers" {
  [ "$(client info -f '{{.Plugins.Log}} {{.LoggingDriver}}')" = '[fluentd gelf journald json-file local syslog] json-file' ]
}
