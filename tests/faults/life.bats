# What goes on, and what is known afterwards, when wherryd dies and comes back: execs, policies.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { CLIENT=wherry; engine_start && image_busybox; }
teardown_file() { engine_stop; }
teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
}
shows() { # CONTAINER TEMPLATE VALUE: in a while
  local try
  for try in $(seq 200); do
    [ "$(client inspect -f "$2" "$1")" = "$3" ] && return 0
    sleep 0.05
  done
  client inspect -f '{{json .State}} {{.RestartCount}}' "$1"
  return 1
}

@test "an exec goes on with its client, which learns its exit code from the next engine" {
  client run -d --name host busybox sleep 600
  (client exec host sh -c 'echo one; while [ ! -e /go ]; do sleep 0.1; done; echo two; exit 7' >"$BATS_TEST_TMPDIR/out" && code=0 || code=$?; echo $code >"$BATS_TEST_TMPDIR/code") 3>&- &
  exec=$!
  for try in $(seq 100); do grep -q one "$BATS_TEST_TMPDIR/out" && break; sleep 0.05; done
  engine_halt KILL
  engine_launch
  client exec host touch /go
  wait $exec
  [ "$(cat "$BATS_TEST_TMPDIR/out")" = "$(printf 'one\ntwo')" ]
  [ "$(cat "$BATS_TEST_TMPDIR/code")" = 7 ]
}

@test "an exec that ends while there is no engine is remembered" {
  client run -d --name host busybox sleep 600
  (client exec host sh -c 'echo one; while [ ! -e /go ]; do sleep 0.1; done; exit 9' >"$BATS_TEST_TMPDIR/out" && code=0 || code=$?; echo $code >"$BATS_TEST_TMPDIR/code") 3>&- &
  exec=$!
  for try in $(seq 100); do grep -q one "$BATS_TEST_TMPDIR/out" && break; sleep 0.05; done
  id=$(client inspect -f '{{index .ExecIDs 0}}' host)
  pid=$(client inspect -f '{{.State.Pid}}' host)
  since=$(date +%s.%N)
  engine_halt KILL
  touch "/proc/$pid/root/go"
  sleep 1
  engine_launch
  wait $exec
  [ "$(cat "$BATS_TEST_TMPDIR/code")" = 9 ]
  run -0 curl -fs --unix-socket "$ENGINE/sock" "http://x/exec/$id/json"
  [[ $output == *'"Running":false,"ExitCode":9,'*'"entrypoint":"sh"'* ]]
  run -0 client events --since "$since" --until "$(date +%s.%N)" --filter event=exec_die --format '{{.Actor.Attributes.exitCode}}'
  [ "$output" = 9 ]
}

@test "policies over a stop of the engine that stops the containers" {
  client run -d --name always --stop-timeout 0 --restart always busybox sleep 600
  client run -d --name unless --stop-timeout 0 --restart unless-stopped busybox sleep 600
  client run -d --name unless-but --stop-timeout 0 --restart unless-stopped busybox sleep 600
  client run -d --name always-but --stop-timeout 0 --restart always busybox sleep 600
  client run -d --name none --stop-timeout 0 busybox sleep 600
  client stop -t 0 unless-but always-but
  engine_halt TERM
  engine_launch --live-restore=false
  shows always-but '{{.State.Running}}' true
  [ "$(client inspect -f '{{.State.Running}}' unless-but)" = false ]
  client stop always-but
  engine_halt TERM
  engine_launch
  shows always '{{.State.Running}}' true
  shows unless '{{.State.Running}}' true
  shows always-but '{{.State.Running}}' true
  [ "$(client inspect -f '{{.State.Running}}' unless-but)" = false ]
  [ "$(client inspect -f '{{.State.Running}}' none)" = false ]
  run -0 client inspect none
  [[ $(tr -d ' \n' <<<"$output") == *'"ExitReason":"signal","ExitSignal":"SIGKILL","ExitedBy":"engine"'* ]]
}
