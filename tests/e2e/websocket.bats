# Attach over a WebSocket. What is expected was seen with Docker 26.1, except where a test says otherwise.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start
  image_busybox
  client run -d -i --name echo busybox cat >/dev/null
}
teardown_file() { engine_stop; }

socket() { # CONTAINER QUERY ACTION…
  local path=/v${VERSION:-1.45}/containers/$1/attach/ws?$2
  shift 2
  timeout 60 python3 "$BATS_TEST_DIRNAME/../lib/websocket.py" "$ENGINE/sock" "$path" "$@"
}
ALL='stream=1&stdin=1&stdout=1&stderr=1'
SWITCHED='HTTP/1.1 101 Switching Protocols'

shows() { # wanted lines
  [ "$output" = "$1" ] || { printf 'wanted:\n%s\ngot:\n%s\n' "$1" "$output"; return 1; }
}

@test "both ways, a ping, and the client's close" {
  run socket echo "$ALL" 'binary:hello\n' 'until:hello\n' ping:x 'binary:b\n' 'until:b\n' close:1000 wait
  shows "$SWITCHED
binary 'hello\\n'
pong 'x'
binary 'b\\n'
close 1000
end"
}

@test "text frames and every stream before their API versions" {
  VERSION=1.27 run socket echo stream=1 'text:old\n' 'until:old\n' close:1000 wait
  shows "$SWITCHED
text 'old\\n'
close 1000
end"
}

@test "a fragmented message with a ping between its parts" {
  run socket echo "$ALL" part:he ping: more:l 'last:lo\n' 'until:hello\n' close: wait
  [[ $output == *"pong ''"* && $output == *"close 1000"* ]]
  # The pong may come between two parts of the echo.
  [ "$(sed -n "s/^binary '\(.*\)'$/\1/p" <<<"$output" | tr -d '\n')" = 'hello\n' ]
}

@test "a large message comes back whole" {
  run socket echo "$ALL" 'repeat:30000:0123456789' count:300000 close:1000 wait
  shows "$SWITCHED
binary 300000 bytes
close 1000
end"
}

@test "broken frames close the connection with a code" {
  # Docker says 1002 and 1000 for the first, and nothing of the size.
  run socket echo "$ALL" unmasked:x wait
  shows "$SWITCHED
close 1002
end"
  run socket echo "$ALL" frame:82ff00000000020000016d61736b wait
  shows "$SWITCHED
close 1009
end"
  run socket echo "$ALL" frame:83816d61736b00 wait
  shows "$SWITCHED
close 1002
end"
}

@test "stdout and stderr without frames of their own, and the end of the container" {
  client run -d -i --name both busybox sh -c 'read a; echo out; read b; echo err >&2; read c' >/dev/null
  run socket both "$ALL" 'binary:1\n' 'until:out\n' 'binary:2\n' 'until:err\n' 'binary:3\n' wait
  client rm -f both
  shows "$SWITCHED
binary 'out\\nerr\\n'
close 1000
end"
}

@test "streams are chosen by the query" {
  client run -d -i --name choice busybox sh -c 'read a; echo out; echo err >&2' >/dev/null
  run socket choice 'stream=1&stdin=1&stderr=1' 'binary:1\n' wait
  client rm -f choice
  shows "$SWITCHED
binary 'err\\n'
close 1000
end"
}

@test "the log, with and without the stream" {
  client run --name logged busybox sh -c 'echo one; echo two'
  run socket logged 'logs=1&stdout=1' wait
  client rm logged
  shows "$SWITCHED
binary 'one\\ntwo\\n'
close 1000
end"
}

@test "a terminal and its detach keys" {
  client run -dit --name tty busybox cat >/dev/null
  run socket tty "$ALL&detachKeys=ctrl-a,x" 'binary:hello\n' 'until:hello\r\nhello\r\n' 'binary:\x01x' wait
  [ "$(client inspect -f '{{.State.Running}}' tty)" = true ]
  client rm -f tty
  shows "$SWITCHED
binary 'hello\\r\\nhello\\r\\n'
close 1000
end"
}

@test "a container that is started later" {
  client create --name later busybox echo now >/dev/null
  mkfifo "$BATS_TEST_TMPDIR/out"
  PYTHONUNBUFFERED=1 socket later "$ALL" wait >"$BATS_TEST_TMPDIR/out" 3>&- &
  exec 5<"$BATS_TEST_TMPDIR/out"
  read -r -t 60 line <&5
  [ "$line" = "$SWITCHED" ]
  client start later >/dev/null
  run timeout 60 cat <&5
  exec 5<&-
  client rm -f later
  shows "binary 'now\\n'
close 1000
end"
}

@test "what is refused" {
  run socket nope stream=1
  shows 'HTTP/1.1 404 Not Found
{"message":"No such container: nope"}'
  run socket echo 'stream=1&detachKeys=ctrl-'
  shows 'HTTP/1.1 400 Bad Request
{"message":"Invalid detach keys (ctrl-) provided"}'
  run socket echo "$ALL" header:Upgrade=
  shows 'HTTP/1.1 400 Bad Request
not websocket protocol'
  run socket echo "$ALL" header:Sec-WebSocket-Key=
  shows 'HTTP/1.1 400 Bad Request
mismatch challenge/response'
  SHOW_HEAD=1 run socket echo "$ALL" header:Sec-WebSocket-Version=8
  shows 'HTTP/1.1 400 Bad Request
Sec-WebSocket-Version: 13
missing or bad WebSocket Version'
}
