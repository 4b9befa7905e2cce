# wherryd dies at any moment; containers, their logs and their exit codes do not.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { CLIENT=wherry; engine_start && image_busybox; }
teardown_file() { engine_stop; }
# A test that failed half-way leaves no engine: the next one needs it.
teardown() { kill -0 "$(cat "$ENGINE/started")" 2>/dev/null || engine_launch; }
until_true() { # COMMAND…: waits until it succeeds
  local try
  for try in $(seq 600); do "$@" && return 0; sleep 0.05; done
  return 1
}
has_text() { [ "$(cat "$1")" = "$2" ]; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

@test "running containers outlive SIGKILL of the engine, and their logs have no hole" {
  client run -d --name counter busybox sh -c 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo $i; sleep 0.01; done; exit 9'
  client run -d --name idle busybox sleep 1000
  pid=$(client inspect --format '{{.State.Pid}}' idle)
  sleep 0.5
  engine_halt KILL
  kill -0 "$pid"
  engine_launch
  run -0 client inspect --format '{{.State.Running}} {{.State.Pid}}' idle
  [ "$output" = "true $pid" ]
  run -0 client wait counter
  [ "$output" = 9 ]
  [ "$(client logs counter)" = "$(seq 300)" ]
  run -0 client exec idle echo alive
  [ "$output" = alive ]
  client rm -f idle counter
}

@test "exits while the engine was away are reported with their code" {
  client run -d --name gone busybox sh -c 'while [ ! -e /go ]; do sleep 0.05; done; exit 42'
  client run -d --rm --name removed busybox sh -c 'while [ ! -e /go ]; do sleep 0.05; done'
  local gone removed
  gone=$(client inspect --format '{{.State.Pid}}' gone) removed=$(client inspect --format '{{.State.Pid}}' removed)
  engine_halt KILL
  touch "/proc/$gone/root/go" "/proc/$removed/root/go"
  until_true is_gone "$gone" && until_true is_gone "$removed"
  engine_launch
  run -0 client inspect --format '{{.State.Status}} {{.State.ExitCode}}' gone
  [ "$output" = 'exited 42' ]
  for _ in $(seq 600); do client inspect removed >/dev/null 2>&1 || break; sleep 0.05; done
  run -1 client inspect removed
  client rm gone
}

@test "an attached client goes on while the engine is away" {
  client run --name attached busybox sh -c 'echo one; while [ ! -e /go ]; do sleep 0.05; done; echo two' >"$BATS_TEST_TMPDIR/out" 3>&- &
  runner=$!
  until_true has_text "$BATS_TEST_TMPDIR/out" one
  local pid; pid=$(client inspect --format '{{.State.Pid}}' attached)
  engine_halt KILL
  touch "/proc/$pid/root/go"
  until_true has_text "$BATS_TEST_TMPDIR/out" $'one\ntwo'
  engine_launch
  wait $runner || true
  client rm attached
}

# What its new parent has not reaped yet has ended, too.
has_ended() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }

@test "a shim that is killed takes its container along, and the engine says so" {
  client run -d --name orphan busybox sleep 1000
  pid=$(client inspect --format '{{.State.Pid}}' orphan)
  kill -KILL "$(ps -o ppid= -p "$pid" | tr -d ' ')"
  run -0 client wait orphan
  [ "$output" = 137 ]
  until_true has_ended "$pid"
  client rm orphan
}

@test "killed while it loads an image: the old state or the new, nothing between" {
  client save -o "$BATS_TEST_TMPDIR/a.tar" busybox
  client tag busybox keep; client rmi busybox
  for delay in 0.00 0.01 0.02 0.05; do
    client load -i "$BATS_TEST_TMPDIR/a.tar" >/dev/null 2>&1 3>&- &
    sleep $delay
    engine_halt KILL
    wait $! || true
    engine_launch
    [ -z "$(ls -A "$ENGINE/data/tmp")" ]
    client run --rm --net none keep true
  done
  client load -i "$BATS_TEST_TMPDIR/a.tar"
  client run --rm --net none busybox true
  client rmi keep
}

@test "output goes on to a log driver's server while the engine is killed and started again" {
  python3 "$BATS_TEST_DIRNAME/../lib/log_server.py" fluentd unix:"$BATS_TEST_TMPDIR/socket" "$BATS_TEST_TMPDIR/sent" >"$BATS_TEST_TMPDIR/ready" 3>&- &
  server=$!
  for _ in $(seq 600); do [ ! -s "$BATS_TEST_TMPDIR/ready" ] || break; sleep 0.05; done
  id=$(client run -d --name sender --log-driver fluentd --log-opt fluentd-address=unix://"$BATS_TEST_TMPDIR/socket" busybox \
    sh -c 'i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo $i; sleep 0.01; done')
  engine_halt KILL
  for _ in $(seq 600); do [ "$(wc -l <"$BATS_TEST_TMPDIR/sent")" -lt 100 ] || break; sleep 0.05; done
  [ "$(jq -r .record.log "$BATS_TEST_TMPDIR/sent")" = "$(seq 100)" ]
  engine_launch
  client wait sender
  [ "$(client logs sender)" = "$(seq 100)" ]
  for _ in $(seq 600); do pgrep -f "wherry-logger $id" >/dev/null || break; sleep 0.05; done
  run ! pgrep -f "wherry-logger $id"
  kill $server; wait $server || true
  client rm sender
}
