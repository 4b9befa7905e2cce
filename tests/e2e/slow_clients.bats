# Clients that stop reading, or sending, hold up nobody else; and when they vanish nothing of them stays.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox
  # What is behind a stalled client waits: each has a container of its own, which says much when it is told to.
  for name in attach logs socket; do
    client run -d --name "$name" busybox sh -c 'while :; do
      [ ! -e /go ] || { rm /go; head -c 5000000 /dev/zero | tr "\0" x | fold -w 100; touch /gone; }
      sleep 0.1
    done'
  done
  client run -d --name exec busybox sleep 1000
  client run -d --name deaf -i busybox sleep 1000
  client ps >/dev/null
  sleep 0.3
  held >"$ENGINE/held"
}
teardown_file() { engine_stop; }

# Descriptors and threads of wherryd, and descriptors of the shims.
held() {
  local pid shim shims=0; pid=$(cat "$ENGINE/started")
  for shim in $(pgrep -f "wherry-shim.*$ENGINE"); do shims=$((shims + $(ls "/proc/$shim/fd" 2>/dev/null | wc -l))); done
  echo "$(ls "/proc/$pid/fd" | wc -l) descriptors, $(ls "/proc/$pid/task" | wc -l) threads, $shims of the shims"
}

all_is_back() {
  local i
  for i in $(seq 100); do
    [ "$(held)" != "$(cat "$ENGINE/held")" ] || return 0
    sleep 0.1
  done
  echo "there are $(held), there were $(cat "$ENGINE/held")"
  return 1
}

# Starts COUNT clients that stall, and waits until they do. They leave when `leave` closes descriptor 7.
stall() { # COUNT MODE ARGUMENT...
  local i count=$1 fifo=$BATS_TEST_TMPDIR/leave; shift
  [ -p "$fifo" ] || { mkfifo "$fifo"; exec 7<>"$fifo"; }
  for i in $(seq "$count"); do
    python3 "$BATS_TEST_DIRNAME/../lib/bad_http.py" "$ENGINE/sock" "$@" <"$fifo" >>"$BATS_TEST_TMPDIR/stalled" 3>&- 7>&- &
    clients="${clients:-} $!"
  done
  stalled=$((${stalled:-0} + count))
  for i in $(seq 200); do [ "$(wc -l <"$BATS_TEST_TMPDIR/stalled")" -ge "$stalled" ] && return 0; sleep 0.05; done
  echo "of $stalled clients $(cat "$BATS_TEST_TMPDIR/stalled" | wc -l) got an answer"; return 1
}

# Others are served while they stall.
others_are_served() {
  [ "$(curl -s -m 5 --unix-socket "$ENGINE/sock" http://x/_ping)" = OK ]
  [ "$(timeout 10 curl -sg --unix-socket "$ENGINE/sock" 'http://x/containers/json?filters={"name":["deaf"]}' | grep -c '"running"')" = 1 ]
  timeout 10 curl -s --unix-socket "$ENGINE/sock" "http://x/containers/$1/json" | grep -q '"Running":true'
}

say_much() { client exec "$1" touch /go; }

leave() {
  [ "$(held)" != "$(cat "$ENGINE/held")" ]
  exec 7>&-
  wait $clients
}

@test "attach" {
  stall 3 stall POST '/containers/attach/attach?stream=1&stdout=1&stderr=1'
  say_much attach
  others_are_served attach
  leave
  all_is_back
}

@test "logs -f" {
  stall 3 stall GET '/containers/logs/logs?follow=1&stdout=1'
  say_much logs
  others_are_served logs
  # The container does not wait for those who read its log.
  for i in $(seq 200); do client exec logs test -e /gone && break; sleep 0.05; done
  client exec logs test -e /gone
  leave
  all_is_back
}

@test "events" {
  stall 3 stall GET '/events'
  for i in $(seq 20); do client create --name made busybox true; client rm made; done
  others_are_served deaf
  leave
  all_is_back
}

@test "stats" {
  stall 3 stall GET '/containers/exec/stats'
  others_are_served exec
  leave
  all_is_back
}

@test "exec" {
  for i in 1 2; do
    id=$(curl -s --unix-socket "$ENGINE/sock" -H 'Content-Type: application/json' http://x/containers/exec/exec -d '{"Cmd":["yes"],"AttachStdout":true}' | sed 's/.*"Id":"\([0-9a-f]*\)".*/\1/')
    stall 1 stall POST "/exec/$id/start" '{}'
  done
  others_are_served exec
  leave
  # The processes end with their output; until then the shim holds them.
  client restart -t 0 exec
  all_is_back
}

@test "WebSocket" {
  stall 3 stall GET '/containers/socket/attach/ws?stream=1&stdout=1&stdin=1'
  stall 2 stall GET '/containers/deaf/attach/ws?stream=1&stdout=1&stdin=1'
  say_much socket
  others_are_served socket
  leave
  all_is_back
}

@test "uploads" {
  stall 2 upload POST '/images/load' 5000000
  stall 1 upload POST '/images/create?fromSrc=-&repo=half' 5000000
  stall 1 upload PUT '/containers/deaf/archive?path=/tmp' 5000000
  others_are_served deaf
  leave
  all_is_back
  [ -z "$(client images -q half)" ]
  run -0 client diff deaf
  [ -z "$(ls "$ENGINE/data/tmp")" ]
}

@test "downloads" {
  client exec deaf dd if=/dev/zero of=/big bs=1M count=20 2>/dev/null
  stall 2 stall GET '/containers/deaf/export'
  stall 2 stall GET '/containers/deaf/archive?path=/big'
  stall 2 stall GET '/images/busybox/get'
  others_are_served deaf
  leave
  all_is_back
}
