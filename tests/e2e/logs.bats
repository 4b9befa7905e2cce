# `logs` with all its options, and GET /containers/{id}/logs.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox
  # One line a run, so that the order of the streams is certain.
  client create --name mixed busybox sh -c 'n=$(cat /n 2>/dev/null || echo 0); echo $((n + 1)) >/n
    if [ $((n % 2)) = 0 ]; then echo o$((n / 2 + 1)); else echo e$((n / 2 + 1)) >&2; fi'
  local i
  for i in $(seq 10); do client start mixed; client wait mixed; done >/dev/null
}
teardown_file() { engine_stop; }

get() { curl -s --unix-socket "$ENGINE/sock" "http://x/v1.45/containers/$1"; }
until_true() { local i; for i in $(seq 600); do "$@" && return 0; sleep 0.05; done; return 1; }
lines_of() { [ "$(wc -l <"$1")" -ge "$2" ]; }

@test "streams, tail and its bad values" {
  [ "$(client logs mixed 2>/dev/null)" = "$(printf 'o%s\n' 1 2 3 4 5)" ]
  [ "$(client logs mixed 2>&1 >/dev/null)" = "$(printf 'e%s\n' 1 2 3 4 5)" ]
  local all; all=$(client logs mixed 2>&1 | sort)
  local tail
  for tail in all -1 -5 x ''; do [ "$(client logs --tail "$tail" mixed 2>&1 | sort)" = "$all" ]; done
  [ "$(client logs -n 0 mixed 2>&1)" = '' ]
  [ "$(client logs -n 3 mixed 2>&1 | sort)" = $'e4\ne5\no5' ]
  [ "$(client container logs -n 1 mixed 2>&1)" = e5 ]
  # The tail counts the lines of both streams.
  [ "$(get 'mixed/logs?stdout=1&tail=3' | tr -d '\0\1\3')" = o5 ]
}

@test "timestamps and details" {
  local line; line=$(client logs -t -n 2 mixed 2>/dev/null)
  [[ "$line" =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z\ o5$ ]]
  [ "$(client logs --details -n 2 mixed 2>/dev/null)" = ' o5' ]
  [[ "$(client logs -t --details -n 2 mixed 2>/dev/null)" =~ Z\ \ o5$ ]]
}

@test "since and until in every form of a time" {
  local third; third=$(client logs -t mixed 2>/dev/null | sed -n 3p | cut -d' ' -f1)
  [ "$(client logs --since "$third" mixed 2>/dev/null)" = $'o3\no4\no5' ]
  [ "$(client logs --until "$third" mixed 2>/dev/null)" = $'o1\no2\no3' ]
  local seconds; seconds=$(date -d "$third" +%s.%N)
  [ "$(client logs --since "$seconds" mixed 2>/dev/null)" = $'o3\no4\no5' ]
  local past
  for past in 0 1 1.5 1h30m 2006-01-02 2006-01-02T15 2006-01-02T15:04 2006-01-02T15:04:05 2006-01-02T15:04:05Z 2006-01-02T15:04:05.5+02:00; do
    [ "$(client logs --since "$past" mixed 2>/dev/null | wc -l)" = 5 ]
  done
  for past in 1 2006-01-02 2006-01-02T15:04:05.5Z; do [ "$(client logs --until "$past" mixed 2>&1)" = '' ]; done
  [ "$(client logs --since 2099-01-01 mixed 2>&1)" = '' ]
  run -1 client logs --since bogus mixed
  [ "$output" = 'invalid value for "since": failed to parse value as time or duration: "bogus"' ]
}

@test "the API: no stream chosen, bad times, unknown containers, content types" {
  [ "$(get mixed/logs)" = '{"message":"Bad parameters: you must choose at least one stream"}' ]
  [ "$(get nosuch/logs)" = '{"message":"Bad parameters: you must choose at least one stream"}' ]
  [ "$(get 'nosuch/logs?stdout=1')" = '{"message":"No such container: nosuch"}' ]
  [ "$(get 'mixed/logs?stdout=1&since=bad')" = '{"message":"strconv.ParseInt: parsing \"bad\": invalid syntax"}' ]
  [ "$(get 'mixed/logs?stderr=1&until=1.x')" = '{"message":"strconv.ParseInt: parsing \"x\": invalid syntax"}' ]
  [ "$(get 'mixed/logs?stdout=yes&tail=1&stderr=1' | od -An -tx1 | tr -d ' \n')" = 020000000000000365350a ]
  curl -si --unix-socket "$ENGINE/sock" 'http://x/v1.45/containers/mixed/logs?stdout=1' | grep -a 'Content-Type: application/vnd.docker.multiplexed-stream'
  curl -si --unix-socket "$ENGINE/sock" 'http://x/v1.41/containers/mixed/logs?stdout=1' | grep -a 'Content-Type: application/vnd.docker.raw-stream'
}

@test "a terminal's log is not framed" {
  client run --name tty -t busybox sh -c 'echo out; echo err >&2' >/dev/null
  [ "$(client logs tty 2>/dev/null)" = $'out\r\nerr\r' ]
  [ "$(get 'tty/logs?stdout=1' | od -An -tx1 | tr -d ' \n')" = 6f75740d0a6572720d0a ]
  client rm tty
}

@test "follow: through a rotation, to the container's end, not beyond it" {
  client run -d --name follow --log-opt max-size=1k --log-opt max-file=3 busybox \
    sh -c 'for i in $(seq 200); do echo $i; [ $((i % 10)) != 0 ] || sleep 0.05; done'
  [ "$(client logs -f follow | tail -n 1)" = 200 ]
  # A container that does not run is not followed.
  [ "$(client logs -f -n 1 follow)" = 200 ]
  client create --name created busybox true
  [ "$(client logs -f created)" = '' ]
  client rm follow created
  client run -d --name again --restart always busybox sh -c 'echo a; sleep 0.5'
  [ "$(client logs -f -n 1 again | sort -u)" = a ]
  client rm -f again
}

@test "follow: every line once, in its order" {
  client run -d --name order busybox sh -c 'i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo $i; done; sleep 0.2'
  [ "$(client logs -f order)" = "$(seq 3000)" ]
  client rm -f order
}

@test "follow ends at until" {
  client run -d --name until busybox sh -c 'echo a; sleep 1000'
  has_a() { [ "$(client logs until)" = a ]; }
  until_true has_a
  local start; start=$(date +%s)
  [ "$(client logs -f --until "$(($(date +%s) + 2))" until)" = a ]
  [ $(($(date +%s) - start)) -lt 60 ]
  client rm -f until
}

@test "followers cost little, and leave nothing when they vanish" {
  local pid threads fds i pids=()
  client run -d --name many busybox sh -c 'echo a; sleep 1000'
  pid=$(cat "$ENGINE/started")
  count() { threads=$(ls "/proc/$pid/task" | wc -l) fds=$(ls "/proc/$pid/fd" | wc -l); }
  count; local threads_before=$threads fds_before=$fds
  for i in $(seq 150); do
    curl -sN --unix-socket "$ENGINE/sock" "http://x/v1.45/containers/many/logs?stdout=1&follow=1" -o "$BATS_TEST_TMPDIR/f$i" 3>&- & pids+=($!)
  done
  for i in $(seq 150); do until_true lines_of "$BATS_TEST_TMPDIR/f$i" 1; done
  count
  [ "$threads" -ge $((threads_before + 150)) ]
  # More inotify instances than one would end at the limit of the user.
  [ "$(ls -l "/proc/$pid/fd" | grep -c inotify)" = 1 ]
  kill "${pids[@]}"; wait "${pids[@]}" || true
  gone() { count; [ "$threads" -le $((threads_before + 1)) ] && [ "$fds" -le $((fds_before + 1)) ]; } # the instance stays
  until_true gone
  client rm -f many
}

@test "a log is bounded by default, and the daemon can be told otherwise" {
  engine_halt TERM; engine_launch --log-max-size 4k
  client run --name bounded busybox seq 2000 >/dev/null
  local path; path=$(client inspect -f '{{.LogPath}}' bounded)
  [ "$(ls "$path"*| wc -l)" = 4 ]
  [ "$(client logs -n 1 bounded)" = 2000 ]
  engine_halt TERM; engine_launch --log-max-size 0
  client run --name unbounded busybox seq 2000 >/dev/null
  [ "$(client logs unbounded)" = "$(seq 2000)" ]
  path=$(client inspect -f '{{.LogPath}}' unbounded)
  [ "$(ls "$path"* | wc -l)" = 1 ]
  engine_halt TERM; engine_launch --log-driver local --log-opt max-size=1m
  client run --name inherits busybox true
  [ "$(client inspect -f '{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Config}}' inherits)" = 'local map[max-size:1m]' ]
  client run --name other --log-driver json-file busybox true
  [ "$(client inspect -f '{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Config}}' other)" = 'json-file map[]' ]
  engine_halt TERM; engine_launch
  client rm bounded unbounded inherits other
}
