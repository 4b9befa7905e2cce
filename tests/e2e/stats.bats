# What containers use, and their processes (CLIENT=wherry or docker).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox
  client run -d --name busy -m 64m busybox sh -c 'while :; do :; done'
  client create --name stopped busybox true
}
teardown_file() { engine_stop; }
api() { curl -fs --unix-socket "$ENGINE/sock" "http://x/v1.45/$1"; }

@test "stats once: usage of one that runs, zeroes of one that does not" {
  run -0 client stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' busy
  [[ $output =~ ^busy\ [0-9.]+(KiB|MiB)\ /\ 64MiB\ 1$ ]]
  run -0 client stats --no-stream --format '{{.CPUPerc}}' busy
  [[ $output =~ ^[0-9.]+%$ ]] && [ "$output" != 0.00% ]
  run -0 client stats --no-stream --format '{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.NetIO}} {{.PIDs}}' stopped
  [ "$output" = 'stopped 0.00% 0B / 0B 0B / 0B 0' ]
}

@test "stats of all: those that run, or all" {
  needs_recent_client
  run -0 client stats --no-stream --format '{{.Name}}'
  [ "$output" = busy ]
  run -0 client stats --no-stream -a --format '{{.Name}}'
  [ "$(sort <<<"$output" | tr '\n' ' ')" = 'busy stopped ' ]
  run -1 client stats --no-stream nosuch
  [[ $output == *'No such container: nosuch'* ]]
}

@test "an answer compares with the one before; a one-shot does not wait" {
  run -0 api 'containers/busy/stats?stream=0'
  [ "$(jq '.cpu_stats.cpu_usage.total_usage > .precpu_stats.cpu_usage.total_usage' <<<"$output")" = true ]
  [ "$(jq -c '[.name, .memory_stats.limit, .networks.eth0.rx_errors, .pids_stats.current]' <<<"$output")" = '["/busy",67108864,0,1]' ]
  run -0 api 'containers/busy/stats?stream=0&one-shot=1'
  [ "$(jq -c '[.name, .preread, .precpu_stats.system_cpu_usage]' <<<"$output")" = '[null,"0001-01-01T00:00:00Z",null]' ]
  run -0 api 'containers/stopped/stats?stream=0'
  [ "$(jq -c '[.name, .read, .memory_stats, .networks]' <<<"$output")" = '["/stopped","0001-01-01T00:00:00Z",{},null]' ]
  run -0 curl -s --unix-socket "$ENGINE/sock" 'http://x/v1.45/containers/busy/stats?one-shot=1'
  [[ $output == *'cannot have stream=true and one-shot=true'* ]]
}

@test "a stream ends with its container, and a follower that vanishes leaves nothing" {
  local before; before=$(api info | jq .NGoroutines)
  client run -d --name short busybox sleep 60
  curl -s --unix-socket "$ENGINE/sock" http://x/containers/short/stats >"$BATS_TEST_TMPDIR/stream" &
  local follower=$! i
  curl -s --unix-socket "$ENGINE/sock" http://x/containers/busy/stats >/dev/null &
  local leaver=$!
  for i in $(seq 100); do [ "$(wc -l <"$BATS_TEST_TMPDIR/stream")" -ge 2 ] && break; sleep 0.1; done
  [ "$(wc -l <"$BATS_TEST_TMPDIR/stream")" -ge 2 ]
  client rm -f short
  wait $follower
  kill $leaver
  for i in $(seq 100); do [ "$(api info | jq .NGoroutines)" -le "$before" ] && break; sleep 0.1; done
  [ "$(api info | jq .NGoroutines)" -le "$before" ]
}

@test "top shows the container's processes and no others" {
  run -0 client top busy
  [[ ${lines[0]} =~ ^UID\ +PID\ +PPID ]]
  [ ${#lines[@]} = 2 ]
  [[ ${lines[1]} == *'sh -c while :; do :; done' ]]
  run -0 client top busy -o pid,args
  [[ ${lines[0]} =~ ^PID\ +COMMAND ]]
  run -0 client top busy aux
  [[ ${lines[0]} =~ ^USER\ +PID ]]
}

@test "what top refuses" {
  run -1 client top busy -o cmd
  [[ $output == *"Couldn't find PID field in ps output" ]]
  run -1 client top busy -o uid=PID
  [[ $output == *'specifying "uid=PID" is not allowed' ]]
  run -1 client top busy --nosuch
  [[ $output == *'ps: error: unknown gnu long option' ]]
  run -1 client top stopped
  [[ $output =~ 'container '[0-9a-f]{64}' is not running' ]]
  run -1 client top nosuch
  [[ $output == *'No such container: nosuch' ]]
}
