# What is unused goes (CLIENT=wherry or docker).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }
teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
}

@test "container prune removes what does not run and says how much that was" {
  client run -d --name up busybox sleep 60
  client run --name wrote busybox sh -c 'head -c 12345 /dev/zero >/f; ln /f /g'
  local id; id=$(client inspect -f '{{.Id}}' wrote)
  run -0 client container prune -f
  [ "${lines[0]}" = 'Deleted Containers:' ]
  [ "${lines[1]}" = "$id" ]
  [ "${lines[2]}" = 'Total reclaimed space: 12.35kB' ] # a file of two names counts once
  run -0 client ps -a --format '{{.Names}}'
  [ "$output" = up ]
}

@test "container prune asks first, and no is no" {
  client create --name kept busybox true
  run -0 client container prune <<<n
  [[ $output == 'WARNING! This will remove all stopped containers.'*'Are you sure you want to continue? [y/N] '* ]]
  run -0 client ps -aq
  [ -n "$output" ]
  run -0 client container prune <<<y
  run -0 client ps -aq
  [ -z "$output" ]
}

@test "filters of container prune" {
  client create --name one --label a=1 busybox true
  client create --name two --label a=2 --label b busybox true
  client container prune -f --filter until=1h
  client container prune -f --filter label=c
  [ "$(client ps -aq | wc -l)" = 2 ]
  client container prune -f --filter 'label!=b' --filter label=a
  [ "$(client ps -a --format '{{.Names}}')" = two ]
  run -1 client container prune -f --filter nosuch=1
  [[ $output == *"invalid filter 'nosuch'" ]]
  run -1 client container prune -f --filter until=yesterday
  [[ $output == *'failed to parse value as time or duration: "yesterday"' ]]
  run -1 client container prune -f --filter until=1h --filter until=2h
  [[ $output == *'more than one until filter specified' ]]
}
