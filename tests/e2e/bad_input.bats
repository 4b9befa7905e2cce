# Requests that are wrong are refused as Docker refuses them, change nothing, and leave nothing behind in the engine.
load ../lib/engine
bats_require_minimum_version 1.5.0

bad_http() { python3 "$BATS_TEST_DIRNAME/../lib/bad_http.py" "$ENGINE/sock" "$@"; }

resources() { # descriptors and threads of wherryd
  local pid; pid=$(cat "$ENGINE/started")
  echo "$(ls "/proc/$pid/fd" | wc -l) descriptors, $(ls "/proc/$pid/task" | wc -l) threads"
}

# Waits until wherryd holds what it held at first: connections end a moment after their client.
resources_are_back() {
  local i
  for i in $(seq 100); do
    [ "$(resources)" != "$(cat "$ENGINE/resources")" ] || return 0
    sleep 0.1
  done
  echo "wherryd has $(resources), it had $(cat "$ENGINE/resources")"
  ls -l "/proc/$(cat "$ENGINE/started")/fd"
  return 1
}

state() {
  client ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.State}}'
  client images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}'
}

setup_file() {
  engine_start && image_busybox
  client run -d --name running busybox sh -c 'echo line; exec sleep 1000'
  client create --name created busybox true
  client create --name terminal -t busybox sh
  client ps >/dev/null
  sleep 0.3
  resources >"$ENGINE/resources"
}
teardown_file() { engine_stop; }

@test "requests that Docker refuses" {
  state >"$BATS_TEST_TMPDIR/before"
  bad_http table <"$BATS_TEST_DIRNAME/bad_input.table"
  state | diff "$BATS_TEST_TMPDIR/before" -
  resources_are_back
}

@test "bodies that say they are something else" {
  local url=http://x/containers/create type
  for type in text/plain application/jsonx ';'; do
    run -0 curl -s --unix-socket "$ENGINE/sock" -H "Content-Type: $type" -d '{}' -w '%{http_code}' $url
    [[ $output == *Content-Type\ header*400 ]]
  done
  run -0 curl -s --unix-socket "$ENGINE/sock" -H 'Content-Type: Application/JSON; charset=utf-8' -d '{}' $url
  [[ $output == *'config cannot be empty'* ]]
}

@test "messages that are malformed" {
  state >"$BATS_TEST_TMPDIR/before"
  bad_http raw <<'TABLE'
no request at all	0	b''
half a head	400	b'GET /_ping HT'
no version	400	b'GET /_ping\r\n\r\n'
binary	400	b'\x16\x03\x01\x00\xff\x01\x00'
unknown method	400	b'BREW /info HTTP/1.1\r\nHost: x\r\n\r\n'
no host	400	b'GET /_ping HTTP/1.1\r\n\r\n'
space in a header name	400	b'GET /_ping HTTP/1.1\r\nHost: x\r\nBad Header: a\r\nConnection: close\r\n\r\n'
a length that is none	400	b'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n{}'
a length below zero	400	b'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}'
two lengths	400	b'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'
length and chunks	400	b'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
unknown coding	501	b'POST /containers/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n{}'
unknown expectation	417	b'GET /_ping HTTP/1.1\r\nHost: x\r\nExpect: nosuch\r\n\r\n'
huge head	431	b'GET /_ping HTTP/1.1\r\nHost: x\r\nX: ' + b'a' * 1000000 + b'\r\n\r\n'
many headers	431	b'GET /_ping HTTP/1.1\r\nHost: x\r\n' + b'X: a\r\n' * 30000 + b'\r\n'
a path that is none	400	b'GET _ping HTTP/1.1\r\nHost: x\r\n\r\n'
bad escape in a path	400	b'GET /_ping%zz HTTP/1.1\r\nHost: x\r\n\r\n'
TABLE
  # What is cut off is not acted on.
  bad_http raw <<'TABLE'
body cut off	400	b'POST /containers/create?name=cut HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"Image":"busybox"}'
chunks cut off	400	b'POST /containers/create?name=cut HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n{"Image":"busybox"}\r\n'
chunks malformed	400	b'POST /containers/create?name=cut HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{"Image":"busybox"}\r\n0\r\n\r\n'
archive cut off	200	b'POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n' + b'a' * 5000
import cut off	500	b'POST /images/create?fromSrc=-&repo=cut HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n' + b'\x00' * 4000
TABLE
  state | diff "$BATS_TEST_TMPDIR/before" -
  resources_are_back
}

@test "clients that leave" {
  state >"$BATS_TEST_TMPDIR/before"
  local i id
  for i in 1 2 3; do
    bad_http vanish POST '/containers/running/attach?stream=1&stdin=1&stdout=1&stderr=1'
    bad_http vanish POST '/containers/created/attach?stream=1&stdout=1'
    bad_http vanish GET '/containers/running/logs?follow=1&stdout=1'
    bad_http vanish POST '/containers/running/wait'
    bad_http vanish POST '/containers/created/wait?condition=next-exit'
    bad_http vanish GET '/images/busybox/get'
    id=$(curl -s --unix-socket "$ENGINE/sock" -H 'Content-Type: application/json' http://x/containers/running/exec \
      -d '{"Cmd":["cat"],"AttachStdin":true,"AttachStdout":true}' | sed 's/.*"Id":"\([0-9a-f]*\)".*/\1/')
    bad_http vanish POST "/exec/$id/start" '{}'
  done
  bad_http hold 50
  state | diff "$BATS_TEST_TMPDIR/before" -
  # A container that was being attached to before it ran still holds that connection: it ends with a run.
  client start created && client wait created
  resources_are_back
  run -0 client exec running echo still here
  [ "$output" = 'still here' ]
}

@test "names, labels and environment with odd bytes survive" {
  local value=$'tab\t newline\n quote" apostrophe\' back\\slash equals== <&> é 漢字 🐳 \x01\x7f\xe2\x80\xa8end'
  client create --name odd.Name_1-x --label "odd-key=$value" --label 'a=' --label 'b' -e "ODD=$value" -e 'EMPTY=' -e 'É=é' busybox env
  run -0 client inspect --format '{{index .Config.Labels "odd-key"}}' odd.Name_1-x
  [ "$output" = "$value" ]
  run -0 client inspect --format '{{json .Config.Labels.a}}{{json .Config.Labels.b}}' odd.Name_1-x
  [ "$output" = '""""' ]
  run -0 client inspect --format '{{range .Config.Env}}{{println .}}{{end}}' odd.Name_1-x
  # docker sends the environment in any order.
  [[ $output == *"ODD=$value"* && $'\n'$output == *$'\nEMPTY='* && $'\n'$output == *$'\nÉ=é'* ]]
  run -0 client start -a odd.Name_1-x
  [[ $output == *"ODD=$value"* ]]
  client rm odd.Name_1-x
}
