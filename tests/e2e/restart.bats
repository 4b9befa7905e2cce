# Restart policies, waits and the cause of an end (CLIENT=wherry or docker).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }
setup() { SINCE=$(date +%s.%N); }
teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
}
api() { curl -s --unix-socket "$ENGINE/sock" "http://x/$1"; }

shows() { # CONTAINER TEMPLATE VALUE: in a while
  local try
  for try in $(seq 200); do
    [ "$(client inspect -f "$2" "$1")" = "$3" ] && return 0
    sleep 0.05
  done
  client inspect -f '{{json .State}} {{.RestartCount}}' "$1"
  return 1
}
cause() { client inspect "$1" | python3 -c 'import json, sys; c = json.load(sys.stdin)[0]["State"]; print(c["ExitReason"], c["ExitSignal"] or "-", c["ExitedBy"] or "-")'; }

@test "on-failure starts again so many times" {
  client run -d --name fails --restart on-failure:2 busybox sh -c 'exit 3'
  shows fails '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}' 'exited 2 3'
  # The state is told of a moment before the event.
  local try
  for try in $(seq 100); do
    run -0 client events --since "$SINCE" --until "$(date +%s.%N)" --filter type=container --format '{{.Action}}'
    [ "$output" != "$(printf '%s\n' create start die start die start die)" ] || break
    sleep 0.1
  done
  [ "$output" = "$(printf '%s\n' create start die start die start die)" ]
  client run -d --name succeeds --restart on-failure busybox true
  shows succeeds '{{.State.Status}} {{.RestartCount}}' 'exited 0'
}

@test "always starts again until it is stopped" {
  client run -d --name always --restart always busybox sh -c 'sleep 0.1; exit 1'
  for try in $(seq 200); do
    [ "$(client inspect -f '{{.RestartCount}}' always)" -ge 2 ] && break
    sleep 0.05
  done
  client stop -t 0 always
  count=$(client inspect -f '{{.State.Status}} {{.RestartCount}}' always)
  [[ $count == exited* ]]
  sleep 0.5
  [ "$(client inspect -f '{{.State.Status}} {{.RestartCount}}' always)" = "$count" ]
  client start always
  [ "$(client inspect -f '{{.RestartCount}}' always)" -le 1 ]
}

@test "a container between two runs" {
  client run -d --name between --restart always busybox false
  # The delay doubles: it comes to stay in this state for a while.
  for try in $(seq 300); do
    [ "$(client inspect -f '{{.State.Restarting}} {{gt .RestartCount 4}}' between)" = 'true true' ] && break
    sleep 0.05
  done
  [ "$(client inspect -f '{{.State.Status}} {{.State.Running}} {{.State.Pid}}' between)" = 'restarting true 0' ]
  [[ "$(client ps --format '{{.Status}}')" == 'Restarting (1) '*' ago' ]]
  run -1 client exec between true
  [[ $output == *' is restarting, wait until the container is running' ]]
  client stop between
  [ "$(client inspect -f '{{.State.Status}}' between)" = exited ]
}

@test "a kill ends a policy, another signal does not always" {
  client run -d --name killed --restart always busybox sleep 60
  client kill killed
  shows killed '{{.State.Status}} {{.RestartCount}}' 'exited 0'
  client run -d --name other --restart always --stop-signal TERM busybox sh -c 'trap "exit 4" USR1; while :; do sleep 0.05; done'
  sleep 0.3
  client kill -s USR1 other
  shows other '{{.State.Status}} {{.RestartCount}}' 'running 1'
}

@test "--restart and --rm do not go together, and other nonsense is refused" {
  run ! client run --rm --restart always busybox true
  [[ $output == *'conflicting options: cannot specify both --restart and --rm'* ]]
  run ! client create --restart sometimes busybox
  [[ $output == *"invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"* ]]
  run ! client create --restart always:3 busybox
  [[ $output == *"maximum retry count can"*"only be used with 'on-failure'"* ]]
}

@test "a changed policy counts for the next end" {
  client run -d --name changed --restart always busybox sleep 60
  client update --restart no changed
  kill -9 "$(client inspect -f '{{.State.Pid}}' changed)"
  shows changed '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}' 'exited 137 0'
}

@test "waits with every condition" {
  client create --name waited busybox sh -c 'sleep 0.5; exit 5'
  curl -sN -X POST --unix-socket "$ENGINE/sock" 'http://x/containers/waited/wait?condition=next-exit' >"$BATS_TEST_TMPDIR/next" 3>&- &
  next=$!
  curl -sN -X POST --unix-socket "$ENGINE/sock" 'http://x/containers/waited/wait?condition=removed' >"$BATS_TEST_TMPDIR/removed" 3>&- &
  removed=$!
  # One that has never run does not run.
  run -0 curl -s -X POST --unix-socket "$ENGINE/sock" 'http://x/containers/waited/wait'
  [ "$output" = '{"StatusCode":0}' ]
  sleep 0.3
  client start waited
  run -0 client wait waited
  [ "$output" = 5 ]
  wait $next
  [ "$(cat "$BATS_TEST_TMPDIR/next")" = '{"StatusCode":5}' ]
  client rm waited
  wait $removed
  [ "$(cat "$BATS_TEST_TMPDIR/removed")" = '{"StatusCode":5}' ]
  run -0 curl -s -X POST --unix-socket "$ENGINE/sock" 'http://x/containers/nosuch/wait?condition=never'
  [ "$output" = '{"message":"invalid condition: \"never\""}' ]
}

@test "a client that leaves its wait leaves nothing" {
  client run -d --name left busybox sleep 60
  before=$(client info -f '{{.NFd}}')
  for turn in 1 2 3 4 5; do
    timeout 0.3 curl -sN -X POST --unix-socket "$ENGINE/sock" 'http://x/containers/left/wait' || true
  done
  for try in $(seq 100); do
    [ "$(client info -f '{{.NFd}}')" -le "$before" ] && break
    sleep 0.05
  done
  [ "$(client info -f '{{.NFd}}')" -le "$before" ]
}

@test "who and what ended a container" {
  client run --name itself busybox sh -c 'exit 137' || true
  [ "$(cause itself)" = 'exit - -' ]
  client run -d --name stopped busybox sleep 60
  client stop -t 0 stopped
  [ "$(cause stopped)" = 'signal SIGKILL user' ]
  client run -d --name killed busybox sleep 60
  client kill killed
  [ "$(cause killed)" = 'signal SIGKILL user' ]
  client run -d --name outside busybox sleep 60
  kill -9 "$(client inspect -f '{{.State.Pid}}' outside)"
  shows outside '{{.State.Running}}' false
  [ "$(cause outside)" = 'signal SIGKILL -' ]
}

# The engine and all shims go at once, as a machine does.
crash() {
  engine_halt KILL
  kill -KILL $(pgrep -f "wherry-shim.*$ENGINE/run") 2>/dev/null || true
  engine_launch
}

@test "after a crash policies hold, and links lead to containers that run" {
  client run -d --name first --restart always busybox sleep 1000
  client run -d --name second --restart always --link first:one busybox sleep 1000
  client run -d --name third --restart always --link second:two busybox sleep 1000
  client run -d --name failed --restart on-failure busybox sleep 1000
  client run -d --name given-up --restart on-failure:1 busybox sh -c 'exit 3'
  client run -d --name fine --restart on-failure busybox true
  client run -d --name stopped --restart unless-stopped busybox sleep 1000
  client run -d --name no busybox sleep 1000
  client stop -t 0 failed stopped
  shows given-up '{{.State.Status}} {{.RestartCount}}' 'exited 1'
  shows fine '{{.State.Status}}' exited
  crash
  for name in first second third failed; do shows $name '{{.State.Status}}' running; done
  shows third '{{range .HostConfig.Links}}{{.}}{{end}}' /second:/third/two
  for name in given-up fine stopped no; do [ "$(client inspect -f '{{.State.Running}}' $name)" = false ]; done
}
