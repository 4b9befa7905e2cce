# What libraries for Docker's API do and the command lines do not (CLIENT=wherry or docker); tests/interop/sdk found it.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }

# Speaks to the engine: `open` sends a request that upgrades and returns the socket after its 101, `post` gives a status.
said_well() { [ "$status" = 0 ] || { echo "$output"; return 1; }; }

speak() { # SCRIPT ARGUMENT...
  local script; script=$(cat)
  timeout 60 python3 -c "
import json, os, socket, sys, time
def send(head, body=b''):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(os.environ['ENGINE'] + '/sock')
    s.sendall(head.replace('\n', '\r\n').encode() + b'\r\n\r\n' + body)
    return s
def head_of(s):
    head = b''
    while not head.endswith(b'\r\n\r\n'):
        more = s.recv(1)
        assert more, head
        head += more
    return head.decode()
def rest_of(s):
    data = b''
    while True:
        more = s.recv(4096)
        if not more:
            return data
        data += more
$script" "$@"
}

@test "an exec is resized as soon as its stream is there" {
  client run -d --name sized busybox sleep 1000
  for turn in 1 2 3 4 5; do
    run speak sized <<'END'
def call(path, body):
    s = send(f'POST {path} HTTP/1.1\nHost: x\nConnection: close\nContent-Type: application/json\nContent-Length: {len(body)}', body.encode())
    head = head_of(s)
    return int(head.split(' ')[1]), rest_of(s).decode()
script = 'while [ "$(stty size 2>/dev/null)" != "22 77" ]; do sleep 0.1; done; echo wide'
status, answer = call('/v1.45/containers/sized/exec', json.dumps({'Cmd': ['sh', '-c', script], 'Tty': True, 'AttachStdout': True}))
exec_id = json.loads(answer)['Id']
body = b'{"Tty":true}'
s = send(f'POST /v1.45/exec/{exec_id}/start HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: tcp\nContent-Type: application/json\nContent-Length: {len(body)}', body)
assert head_of(s).startswith('HTTP/1.1 101 ')
print(call(f'/v1.45/exec/{exec_id}/resize?h=22&w=77', '')[0], rest_of(s).decode().strip())
END
    said_well
    [ "$output" = '200 wide' ] || { echo "$output"; return 1; }
  done
  client rm -f sized
}

@test "an upgrade that announces a chunked body becomes a stream" {
  client create --name chunked -i busybox sh -c 'read x; echo got $x'
  client start chunked
  for end in '' last; do
    [ -z "$end" ] || client restart -t 0 chunked
    run speak "$end" <<'END'
s = send('POST /v1.45/containers/chunked/attach?stdin=1&stdout=1&stream=1 HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: tcp\n'
         'Transfer-Encoding: chunked', b'0\r\n\r\n' if sys.argv[1] else b'')
assert head_of(s).startswith('HTTP/1.1 101 '), 'no upgrade'
s.sendall(b'word\n')
print(rest_of(s)[8:].decode())
END
    said_well
    [ "$output" = 'got word' ]
  done
  client rm -f chunked
}

@test "a body that comes with an attach is dropped" {
  client run -d --name bodied -i busybox sh -c 'read x; echo got $x'
  run speak <<'END'
body = b'{"stream":true,"stdin":true}'
s = send(f'POST /v1.45/containers/bodied/attach?stdin=1&stdout=1&stream=1 HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: tcp\n'
         f'Content-Type: application/json\nContent-Length: {len(body)}', body)
assert head_of(s).startswith('HTTP/1.1 101 '), 'no upgrade'
s.sendall(b'word\n')
print(rest_of(s)[8:].decode())
END
  said_well
  [ "$output" = 'got word' ]
  client rm -f bodied
}

@test "an exec on a terminal is left with its detach keys and goes on" {
  client run -d --name left busybox sleep 1000
  run speak <<'END'
def call(method, path, body=''):
    s = send(f'{method} {path} HTTP/1.1\nHost: x\nConnection: close\nContent-Type: application/json\nContent-Length: {len(body)}', body.encode())
    return head_of(s), rest_of(s).decode()
for asked, typed, shown in ({'DetachKeys': 'ctrl-a,x'}, b'\x01x', 'AXg='), ({}, b'\x10\x11', ''):
    made = call('POST', '/v1.45/containers/left/exec', json.dumps({'Cmd': ['cat'], 'Tty': True, 'AttachStdin': True, 'AttachStdout': True, **asked}))
    exec_id = json.loads(made[1])['Id']
    s = send(f'POST /v1.45/exec/{exec_id}/start HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: tcp\nContent-Type: application/json\nContent-Length: 12', b'{"Tty":true}')
    assert head_of(s).startswith('HTTP/1.1 101 ')
    s.sendall(b'word\n')
    said = b''
    while b'word' not in said:
        piece = s.recv(4)
        assert piece, said
        said += piece
    s.sendall(typed)
    rest_of(s)
    # It is running a moment before the engine says so.
    for turn in range(200):
        is_ = json.loads(call('GET', f'/v1.45/exec/{exec_id}/json')[1])
        if is_['Running'] or is_['ExitCode'] is not None:
            break
        time.sleep(0.05)
    assert is_['Running'] and is_['DetachKeys'] == shown, is_
END
  said_well
  for i in $(seq 100); do
    [ "$(client events --since 1 --until "$(date +%s)" --filter event=exec_detach --format '{{.Action}}' | wc -l)" = 2 ] && break
    sleep 0.1
  done
  [ "$(client events --since 1 --until "$(date +%s)" --filter event=exec_detach --format '{{.Action}}' | wc -l)" = 2 ]
  client rm -f left
}

@test "older clients get the shapes of their time" {
  ask() { curl -sg --unix-socket "$ENGINE/sock" "http://x$1"; }
  [[ $(ask /v1.44/images/busybox/json) == *'"ContainerConfig":{"Hostname":""'* ]]
  [[ $(ask /v1.45/images/busybox/json) != *ContainerConfig* ]]
  [[ $(ask /v1.24/info) == *'"KernelMemory":'*'"ExecutionDriver":"<not supported>"'* ]]
  [[ $(ask /v1.42/info) != *'"KernelMemory":'* ]]
  [[ $(ask /v1.41/system/df) != *BuilderSize* ]]
  bind='{"Image":"busybox","HostConfig":{"Mounts":[{"Type":"bind","Source":"/tmp","Target":"/t","BindOptions":{"NonRecursive":true,"CreateMountpoint":true}}]}}'
  for version in 39 41 45; do
    curl -s --unix-socket "$ENGINE/sock" -H 'Content-Type: application/json' -d "$bind" "http://x/v1.$version/containers/create?name=old$version"
    ask "/v1.45/containers/old$version/json" | grep -o '"BindOptions":{[^}]*}' >"$BATS_TEST_TMPDIR/$version" || true
    client rm "old$version"
  done
  run -1 grep -e NonRecursive\":true -e CreateMountpoint "$BATS_TEST_TMPDIR/39"
  [[ $(cat "$BATS_TEST_TMPDIR/41") == *'"NonRecursive":true'* && $(cat "$BATS_TEST_TMPDIR/41") != *CreateMountpoint* ]]
  [[ $(cat "$BATS_TEST_TMPDIR/45") == *'"NonRecursive":true,"CreateMountpoint":true'* ]]
}

@test "answers have < > & as they are" {
  client create --name plain --label 'sign=<&>' busybox echo '<&>'
  [[ $(curl -s --unix-socket "$ENGINE/sock" http://x/containers/plain/json) == *'"sign":"<&>"'* ]]
  [[ $(curl -s --unix-socket "$ENGINE/sock" 'http://x/containers/%3C%26%3E/json') == *'"No such container: <&>"'* ]]
  client rm plain
}
