# Limits and restart policies that change while a container lives (CLIENT=wherry or docker).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }
teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
}
# FIELD of the container "box", as inspect has it.
field() { client inspect -f "{{.HostConfig.$1}}" box; }
# What the kernel enforces: V1-CONTROLLER/FILE V2-FILE
limit() {
  local path; path=/$(cat "$ENGINE/bridge")/$(client inspect -f '{{.Id}}' box)
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then cat "/sys/fs/cgroup$path/$2"; else cat "/sys/fs/cgroup/${1%%/*}$path/${1#*/}"; fi
}

@test "a running container gets its new limits at once, and the record has them" {
  client run -d --name box -m 64m busybox sleep 60
  run -0 client update -m 32m --memory-swap 64m --cpu-shares 512 --pids-limit 77 box
  [ "$output" = box ]
  [ "$(field Memory) $(field MemorySwap) $(field CpuShares) $(field PidsLimit)" = '33554432 67108864 512 77' ]
  [ "$(limit memory/memory.limit_in_bytes memory.max)" = 33554432 ]
  [ "$(limit pids/pids.max pids.max)" = 77 ]
  client update --pids-limit -1 box
  [ "$(limit pids/pids.max pids.max)" = max ]
}

@test "the limits of a stopped container count from its next start" {
  client create --name box -m 64m busybox sleep 60
  client update -m 32m box
  client start box
  [ "$(limit memory/memory.limit_in_bytes memory.max)" = 33554432 ]
}

@test "what contradicts the limits that are set changes nothing" {
  client create --name box -m 64m --cpu-period 50000 busybox true
  run -1 client update --cpus 1 box
  [[ $output == *'Nano CPUs cannot be updated as CPU Period has already been set' ]]
  run -1 client update -m 256m box
  [[ $output == *'update the memoryswap at the same time' ]]
  run -1 client update -m 1m --cpu-shares 7 box
  [[ $output == *'Minimum memory limit allowed is 6MB' ]]
  [ "$(field Memory) $(field NanoCpus) $(field CpuShares)" = '67108864 0 0' ]
  run -1 client update -m 8m nosuch
  [[ $output == *'No such container: nosuch' ]]
}

@test "memory nodes that are not there leave the record as it was" {
  client run -d --name box busybox sleep 60
  run -1 client update --cpuset-mems 512 box
  [ "$(field CpusetMems)" = '' ]
}

@test "the restart policy changes and survives the engine" {
  client run -d --name box busybox sleep 60
  client update --restart on-failure:3 box
  [ "$(field RestartPolicy.Name) $(field RestartPolicy.MaximumRetryCount)" = 'on-failure 3' ]
  run -1 client update --restart sometimes box
  [[ $output == *"unknown policy 'sometimes'"* ]]
  engine_halt KILL && engine_launch
  [ "$(field RestartPolicy.Name)" = on-failure ]
  client update --restart no box
  client create --rm --name removed busybox true
  run -1 client update --restart always removed
  [[ $output == *'AutoRemove is enabled for the container' ]]
}

@test "update without a flag is refused" {
  client create --name box busybox true
  run -1 client update box
  [[ $output == *'you must provide one or more flags when using this command'* ]]
}
