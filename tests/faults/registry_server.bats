# wherry-registry with clients that misbehave, and killed in the middle of things.
load ../lib/registry_server
bats_require_minimum_version 1.5.0

setup_file() {
  servers_open && server_start R --timeout 1s
  head -c 4000000 /dev/urandom >"$SERVERS/blob"
}
teardown_file() { servers_close; }

wait_until() { local i; for i in $(seq 200); do ! "$@" || return 0; sleep 0.05; done; return 1; }
nothing_is_left() { [ -z "$(ls "$SERVERS/R/data/uploads")" ]; }

# A client that speaks to $R as its Python says: `s` is connected, send(text), answer() reads the status.
rude() {
  python3 - "$R" "$@" <<'END'
import socket, sys, time
host, port = sys.argv[1].split(':')
s = socket.create_connection((host, int(port)), timeout=20)
def send(text): s.sendall(text.encode())
def answer():
    got = b''
    while b'\r\n\r\n' not in got:
        more = s.recv(65536)
        if not more: return 'closed'
        got += more
    return got.split()[1].decode()
exec(sys.argv[2])
END
}

@test "a body that is cut short" {
  name=$(digest "$SERVERS/blob")
  rude "send('POST /v2/cut/one/blobs/uploads/?digest=$name HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\nabc'); s.close()"
  wait_until nothing_is_left
  # Of a chunk, what came stays and the client goes on behind it.
  place=$(begin_upload cut/one)
  rude "send('PATCH $place HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n' + 'a' * 600); s.close()"
  arrived() { ask GET "$place"; [ "$STATUS" = 204 ] && [ "$(header range)" = 0-599 ]; }
  wait_until arrived
  ask PATCH "$place" -H 'Content-Range: 600-600' --data-binary b
  [ "$STATUS" = 202 ] && [ "$(header range)" = 0-600 ]
  { printf 'a%.0s' $(seq 600); printf b; } >"$SERVERS/wanted"
  ask PUT "$place?digest=$(digest "$SERVERS/wanted")" -H 'Content-Length: 0'
  [ "$STATUS" = 201 ]
  # Of the last request: the upload is still there.
  place=$(begin_upload cut/one)
  rude "send('PUT $place?digest=$name HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n' + 'a' * 7); s.close()"
  seven() { ask GET "$place"; [ "$STATUS" = 204 ] && [ "$(header range)" = 0-6 ]; }
  wait_until seven
  ask DELETE "$place"
  # A manifest: nothing is there.
  rude "send('PUT /v2/cut/one/manifests/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: $OCI\r\nContent-Length: 1000\r\n\r\n{'); s.close()"
  ask GET /v2/cut/one/manifests/v1
  [ "$STATUS" = 404 ]
  wait_until nothing_is_left
}

@test "a client that falls silent, and one that is slow" {
  place=$(begin_upload slow/one)
  run -0 rude "send('PATCH $place HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc'); print(answer())"
  [ "$output" = 408 ]
  ask GET "$place"
  [ "$(header range)" = 0-2 ]
  # Slower in all than the timeout, and never silent for so long.
  run -0 rude "send('PATCH $place HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n')
for i in range(8): send('x'); time.sleep(0.25)
print(answer())"
  [ "$output" = 202 ]
  ask DELETE "$place"
  # One that does not read what it asked for does not hold its thread.
  head -c 40000000 /dev/zero >"$SERVERS/zeroes"; put_blob slow/one "$SERVERS/zeroes"
  before=$(threads R)
  rude "s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096); send('GET /v2/slow/one/blobs/$(digest "$SERVERS/zeroes") HTTP/1.1\r\nHost: x\r\n\r\n'); time.sleep(9)" &
  client=$!
  more() { [ "$(threads R)" -gt "$before" ]; }
  no_more() { [ "$(threads R)" -le "$before" ]; }
  wait_until more
  wait_until no_more
  kill -0 $client
  wait $client
}

@test "bodies that are too long, and lengths that are none" {
  place=$(begin_upload long/one)
  # More than was announced is the next request, which is garbage.
  run -0 rude "send('PATCH $place HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcdefgh'); print(answer())"
  [ "$output" = 202 ]
  ask GET "$place"
  [ "$(header range)" = 0-2 ]
  for length in -1 99999999999999999999 5x; do
    run -0 rude "send('PATCH $place HTTP/1.1\r\nHost: x\r\nContent-Length: $length\r\n\r\nabc'); print(answer())"
    [ "$output" = 400 ]
  done
  run -0 rude "send('PATCH $place HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc'); print(answer())"
  [ "$output" = 408 ]
  ask DELETE "$place"
  # A large body to what is refused.
  ask PATCH /v2/long/one/blobs/uploads/nosuch -H 'Expect:' --data-binary "@$SERVERS/blob"
  [ "$STATUS" = 404 ]
}

@test "two at once on one upload" {
  place=$(begin_upload two/one)
  rude "send('PATCH $place HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc'); time.sleep(0.6); send('defghi'); print(answer())" >"$SERVERS/first" &
  first=$!
  is_busy() { ask PATCH "$place" -H 'Content-Range: 99-99' --data-binary x; [ "$STATUS" = 409 ]; }
  wait_until is_busy
  ask DELETE "$place"
  [ "$STATUS" = 409 ]
  wait $first
  [ "$(cat "$SERVERS/first")" = 202 ]
  ask GET "$place"
  [ "$(header range)" = 0-8 ]
  ask DELETE "$place"
  [ "$STATUS" = 204 ]
}

@test "many clients push the same and other blobs at once" {
  before=$(descriptors R)
  for number in 1 2 3 4 5 6 7 8; do
    seq $((number * 1000)) >"$SERVERS/many$number"
    for copy in 1 2 3; do
      curl -s -o /dev/null -w '%{http_code}\n' --data-binary "@$SERVERS/many$number" "http://$R/v2/many/c$copy/blobs/uploads/?digest=$(digest "$SERVERS/many$number")" >"$SERVERS/status$number$copy" & pids[number * 10 + copy]=$!
    done
  done
  wait "${pids[@]}"
  [ "$(cat "$SERVERS"/status* | sort -u)" = 201 ]
  for number in 1 2 3 4 5 6 7 8; do
    ask GET "/v2/many/c2/blobs/$(digest "$SERVERS/many$number")"
    cmp "$SERVERS/body" "$SERVERS/many$number"
  done
  same() { [ "$(descriptors R)" -le "$before" ]; }
  wait_until same
  nothing_is_left
}

@test "killed in the middle of an upload: what was acknowledged goes on" {
  place=$(begin_upload kill/one)
  head -c 1000000 "$SERVERS/blob" >"$SERVERS/first"; tail -c +1000001 "$SERVERS/blob" >"$SERVERS/rest"
  ask PATCH "$place" --data-binary "@$SERVERS/first"
  [ "$STATUS" = 202 ]
  # Another stands in the middle of its body, and one was only begun.
  begun=$(begin_upload kill/one)
  rude "send('PATCH $begun HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc'); time.sleep(0.3); print(answer())" &
  client=$!
  sleep 0.1
  server_end R KILL
  wait $client || true
  server_again R
  ask GET "$place"
  [ "$STATUS" = 204 ] && [ "$(header range)" = 0-999999 ]
  ask PATCH "$place" -H "Content-Range: 1000000-3999999" --data-binary "@$SERVERS/rest"
  [ "$STATUS" = 202 ]
  ask PUT "$place?digest=$(digest "$SERVERS/blob")" -H 'Content-Length: 0'
  [ "$STATUS" = 201 ]
  ask GET "/v2/kill/one/blobs/$(digest "$SERVERS/blob")"
  cmp "$SERVERS/body" "$SERVERS/blob"
  ask GET "$begun"
  [ "$STATUS" = 404 ] && [ "$(code)" = BLOB_UPLOAD_UNKNOWN ]
  nothing_is_left
}

@test "killed again and again while a client pushes: what was acknowledged is there, and whole" {
  for round in 1 2 3; do
    ( for number in $(seq 200); do
        make_manifest "crash/r$round" "$SERVERS/crash-$round-$number" && put_manifest "crash/r$round" "t$number" "$SERVERS/crash-$round-$number" || break
        [ "$STATUS" = 201 ] || break
        echo "t$number $(digest "$SERVERS/crash-$round-$number")" >>"$SERVERS/acknowledged-$round"
      done ) &
    pusher=$!
    some() { [ "$(wc -l <"$SERVERS/acknowledged-$round" 2>/dev/null || echo 0)" -ge $((round * 2)) ]; }
    wait_until some
    server_end R KILL
    wait $pusher || true
    server_again R
    while read -r tag name; do
      ask GET "/v2/crash/r$round/manifests/$tag"
      [ "$STATUS" = 200 ] && [ "$(digest "$SERVERS/body")" = "$name" ]
      for blob in $(jq -r '.config.digest, .layers[].digest' "$SERVERS/body"); do
        ask GET "/v2/crash/r$round/blobs/$blob"
        [ "$STATUS" = 200 ] && [ "$(digest "$SERVERS/body")" = "$blob" ]
      done
    done <"$SERVERS/acknowledged-$round"
  done
  # What each was named after is what it is, and nothing half-made is left.
  for file in "$SERVERS"/R/data/blobs/*; do [ "$(digest "$file")" = "sha256:${file##*/}" ]; done
  nothing_is_left
}

@test "a full disk: a clear answer, nothing corrupt, and room is used again" {
  mkdir "$SERVERS/small"
  mount -t tmpfs -o size=6m wherry-test "$SERVERS/small" || skip 'no tmpfs can be mounted'
  server_start F
  server_end F
  sed -i "s#^$SERVERS/F/data#$SERVERS/small/data#" "$SERVERS/F/arguments"
  server_again F
  R=$F
  name=$(put_blob disk/full "$SERVERS/blob")
  head -c 4000000 /dev/urandom >"$SERVERS/second"
  ask POST "/v2/disk/full/blobs/uploads/?digest=$(digest "$SERVERS/second")" --data-binary "@$SERVERS/second"
  [ "$STATUS" = 507 ] && [[ $(body) == *"the registry's disk is full"* ]]
  [ -z "$(ls "$SERVERS/small/data/uploads")" ]
  ask GET "/v2/disk/full/blobs/$name"
  [ "$STATUS" = 200 ] && cmp "$SERVERS/body" "$SERVERS/blob"
  ask DELETE "/v2/disk/full/blobs/$name"
  "$PROGRAMS/wherry-registry" gc --data "$SERVERS/small/data" --grace 0s
  put_blob disk/full "$SERVERS/second"
  server_end F
  umount "$SERVERS/small"
}

@test "requests under way end before the server does" {
  server_end R && server_again R
  place=$(begin_upload end/one)
  rude "send('PATCH $place HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc'); time.sleep(0.5); send('def'); print(answer())" >"$SERVERS/last" &
  client=$!
  is_busy() { ask PATCH "$place" -H 'Content-Range: 99-99' --data-binary x; [ "$STATUS" = 409 ]; }
  wait_until is_busy
  server_end R TERM
  wait $client
  [ "$(cat "$SERVERS/last")" = 202 ]
  server_again R
  ask DELETE "$place"
  [ "$STATUS" = 204 ]
}

@test "a cache whose upstream stalls still ends, and ends well" {
  python3 - "$SERVERS/stalling" <<'END' 3>&- &
import socket, sys, threading, time
listener = socket.create_server(('127.0.0.1', 0))
open(sys.argv[1], 'w').write(str(listener.getsockname()[1]))
def serve(connection):
    data = connection.recv(65536)
    while data:
        if b'/blobs/' in data:
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc')
            time.sleep(60)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}' if data.startswith(b'GET') else b'garbage')
        data = connection.recv(65536)
    connection.close()
while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
END
  upstream=$!
  wait_until test -s "$SERVERS/stalling"
  server_start G --upstream "http://127.0.0.1:$(cat "$SERVERS/stalling")" --timeout 60s
  name=sha256:$(printf '%064d' 9)
  curl -s -o "$SERVERS/part" "http://$G/v2/a/blobs/$name" & client=$!
  is_fetching() { [ -n "$(ls "$SERVERS/G/data/uploads")" ]; }
  wait_until is_fetching
  kill -TERM "$(cat "$SERVERS/G/pid")"
  ended=0; wait $client || ended=$?
  [ $ended != 0 ]
  is_gone() { ! kill -0 "$(cat "$SERVERS/G/pid")" 2>/dev/null; }
  wait_until is_gone
  [ -z "$(ls "$SERVERS/G/data/uploads")" ] && [ ! -e "$SERVERS/G/data/control" ]
  sed -i '/level=error.*blob sha256/d' "$SERVERS/G/log"
  kill $upstream
}
