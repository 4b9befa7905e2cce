# The engine's events: order, attributes, filters, times and the command (CLIENT=wherry or docker).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }
setup() { SINCE=$(date +%s.%N); }
teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
}
api() { curl -fs --unix-socket "$ENGINE/sock" "http://x/$1"; }

# What happened since the test began, as "type action" lines.
happened() { client events --since "$SINCE" --until "$(date +%s.%N)" --format '{{.Type}} {{.Action}}' "$@"; }

@test "the life of a container in order" {
  client run --rm --name life busybox true
  run -0 happened
  [ "$output" = "$(printf '%s\n' 'container create' 'container attach' 'network connect' 'container start' \
    'network disconnect' 'container die' 'container destroy')" ]
}

@test "a stop is told between its signals and the end" {
  client run -d --name stopped -v data:/d busybox sleep 60
  client stop -t 0 stopped
  client restart -t 0 stopped
  run -0 happened --filter type=container --filter type=volume
  [ "$output" = "$(printf '%s\n' 'volume create' 'container create' 'volume mount' 'container start' \
    'container kill' 'container kill' 'volume unmount' 'container stop' 'container die' \
    'volume mount' 'container start' 'container restart')" ]
}

@test "the attributes of an end are its code and its seconds" {
  client run --name ended --label colour=blue busybox sh -c 'exit 3' || true
  run -0 client events --since "$SINCE" --until "$(date +%s.%N)" --filter event=die
  [[ $output =~ ^[0-9T:.-]+(Z|[+-][0-9:]+)' container die '[0-9a-f]{64}' (colour=blue, execDuration='[0-9]+', exitCode=3, image=busybox, name=ended)'$ ]]
}

@test "an exec is told of with its command and its exit code" {
  client run -d --name host busybox sleep 60
  client exec host sh -c 'exit 4' || true
  client exec -d host true
  for try in $(seq 100); do
    [ "$(happened --filter event=exec_die | wc -l)" = 2 ] && break
    sleep 0.1
  done
  run -0 happened --filter event=exec_create
  [ "$output" = "$(printf '%s\n' 'container exec_create: sh -c exit 4' 'container exec_create: true ')" ]
  run -0 client events --since "$SINCE" --until "$(date +%s.%N)" --filter event=exec_die --format '{{.Actor.Attributes.exitCode}}'
  [ "$output" = "$(printf '4\n0')" ]
}

@test "pause, rename, kill and resize" {
  client run -dt --name verbs busybox sleep 60
  client pause verbs
  client unpause verbs
  client rename verbs renamed
  client kill -s USR1 renamed
  run -0 client events --since "$SINCE" --until "$(date +%s.%N)" --filter event=pause --filter event=unpause --filter event=rename --filter event=kill \
    --format '{{.Action}} {{.Actor.Attributes.name}} {{with .Actor.Attributes.oldName}}{{.}}{{end}}{{with .Actor.Attributes.signal}}{{.}}{{end}}'
  [ "$output" = "$(printf '%s\n' 'pause verbs ' 'unpause verbs ' 'rename renamed /verbs' 'kill renamed 10')" ]
  SINCE=$(date +%s.%N)
  curl -fs -X POST --unix-socket "$ENGINE/sock" 'http://x/containers/renamed/resize?h=20&w=80'
  run -0 client events --since "$SINCE" --until "$(date +%s.%N)" --format '{{.Action}} {{.Actor.Attributes.height}} {{.Actor.Attributes.width}}'
  [ "$output" = 'resize 20 80' ]
}

@test "a client that detaches is told of" {
  client run -dit --name detached busybox cat
  python3 - "$ENGINE/sock" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(b'POST /v1.45/containers/detached/attach?stream=1&stdin=1&stdout=1&detachKeys=a,b HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
assert b'101' in s.recv(4096)
s.sendall(b'ab')
while s.recv(4096): pass
PY
  for try in $(seq 100); do
    [ "$(happened --filter event=detach | wc -l)" = 1 ] && break
    sleep 0.05
  done
  run -0 happened --filter event=attach --filter event=detach
  [ "$output" = "$(printf 'container attach\ncontainer detach')" ]
  [ "$(client inspect -f '{{.State.Running}}' detached)" = true ]
}

@test "images come, are named, and go" {
  client tag busybox copy:1
  client rmi copy:1
  client save -o "$BATS_TEST_TMPDIR/image" busybox
  client load -i "$BATS_TEST_TMPDIR/image"
  run -0 happened --filter type=image
  [ "$output" = "$(printf '%s\n' 'image tag' 'image untag' 'image save' 'image load')" ]
  run -0 client events --since "$SINCE" --until "$(date +%s.%N)" --filter event=tag --format '{{.Actor.Attributes.name}}'
  [ "$output" = copy:1 ]
}

@test "filters" {
  client create --name one --label team=a busybox
  client create --name two --label team=b busybox
  client tag busybox copy:2; client rmi copy:2
  run -0 happened --filter label=team=b
  [ "$output" = 'container create' ]
  [ "$(happened --filter label=team | wc -l)" = 2 ]
  [ "$(happened --filter container=one | wc -l)" = 1 ]
  [ "$(happened --filter container=one --filter container=two | wc -l)" = 2 ]
  [ "$(happened --filter image=busybox --filter type=container | wc -l)" = 2 ]
  [ "$(happened --filter type=image | wc -l)" = 2 ]
  [ "$(happened --filter scope=swarm | wc -l)" = 0 ]
  [ "$(happened --filter scope=local | wc -l)" = 4 ]
  [ "$(happened --filter network=x | wc -l)" = 0 ]
  id=$(client inspect -f '{{.Id}}' one)
  [ "$(happened --filter container="${id:0:12}" | wc -l)" = 1 ]
}

@test "events come as they happen" {
  client events --filter event=create --format '{{.Actor.Attributes.name}}' >"$BATS_TEST_TMPDIR/live" 3>&- &
  listener=$!
  for try in $(seq 100); do
    [ "$(client info -f '{{.NEventsListener}}')" = 1 ] && break
    sleep 0.05
  done
  client create --name seen busybox
  for try in $(seq 100); do
    grep -q seen "$BATS_TEST_TMPDIR/live" && break
    sleep 0.05
  done
  [ "$(cat "$BATS_TEST_TMPDIR/live")" = seen ]
  pkill -P $listener
  wait $listener || true
  for try in $(seq 100); do
    [ "$(client info -f '{{.NEventsListener}}')" = 0 ] && break
    sleep 0.05
  done
  [ "$(client info -f '{{.NEventsListener}}')" = 0 ]
}

@test "an until to come ends the stream when it has come" {
  until=$(($(date +%s) + 2))
  run -0 client events --until $until --filter event=nothing
  [ "$(date +%s)" -ge $until ]
}

@test "times in every form" {
  client create --name timed busybox
  [ "$(client events --since 5m --until "$(date +%s.%N)" --filter container=timed --format '{{.Action}}')" = create ]
  [ "$(client events --since "$(date -u -d '5 minutes ago' +%Y-%m-%dT%H:%M:%SZ)" --until "$(date +%s.%N)" --filter container=timed --format '{{.Action}}')" = create ]
  [ "$(client events --since "${SINCE%.*}" --until "$(date +%s.%N)" --filter container=timed --format '{{.Action}}')" = create ]
  [ -z "$(client events --since 1h --until 30m --filter container=timed)" ]
  run -0 api "events?since=0&until=$(date +%s.%N)&filters=%7B%22container%22:%5B%22timed%22%5D%7D"
  [[ $output == '{"status":"create","id":"'*'","from":"busybox","Type":"container","Action":"create","Actor":{"ID":"'*'","Attributes":{"image":"busybox","name":"timed"}},"scope":"local","time":'*',"timeNano":'*'}' ]]
  run -0 curl -s --unix-socket "$ENGINE/sock" 'http://x/events?since=20&until=10'
  [ "$output" = '{"message":"`since` time (20) cannot be after `until` time (10)"}' ]
  run -0 curl -s -o /dev/null -w '%{http_code}' --unix-socket "$ENGINE/sock" 'http://x/events?since=yesterday'
  [ "$output" = 500 ]
  run -0 curl -s --unix-socket "$ENGINE/sock" 'http://x/events?until=1&filters=nonsense'
  [ "$output" = '{"message":"invalid filter"}' ]
}

@test "a format that is none is refused before the stream" {
  needs_recent_client
  run -64 client events --format '{{.Nosuch}}'
  [[ $output == *'Error parsing format: template: :1:2: executing "" at <.Nosuch>: can'"'"'t evaluate field Nosuch in type *events.Message'* ]]
  run -0 client events --since "$SINCE" --until "$(date +%s.%N)" --format json
}

@test "a reader that does not read is cut off and holds nobody up" {
  # A listener that takes the head and then nothing: the engine must go on, and the listener must not stay for ever.
  python3 - "$ENGINE/sock" <<'PY'
import json, socket, sys, urllib.parse
def ask(request):
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(request.encode()); return s
listener = ask('GET /v1.50/events HTTP/1.1\r\nHost: x\r\n\r\n')
assert b'200 OK' in listener.recv(4096)
body = json.dumps({'Image': 'busybox', 'Cmd': ['sleep', '60'], 'Labels': {'filler': 'x' * 4000}})
import http.client
class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(sys.argv[1])
api = Local('x')
def call(method, path, body=None):
    api.request(method, path, body, {'Content-Type': 'application/json'} if body else {})
    answer = api.getresponse(); data = answer.read(); assert answer.status < 300, data
    return json.loads(data) if data else None
id = call('POST', '/containers/create', body)['Id']
call('POST', f'/containers/{id}/start')
listeners = lambda: call('GET', '/info')['NEventsListener']
assert listeners() == 1
for turn in range(6000):
    call('POST', f'/containers/{id}/kill?signal=URG')
    if turn % 100 == 0 and listeners() == 0: break
assert listeners() == 0, 'the listener is still there'
call('DELETE', f'/containers/{id}?force=1')
PY
}
