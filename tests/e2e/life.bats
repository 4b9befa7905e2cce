# What inspect, ps and the refusals say through a container's life, through both command lines (CLIENT=wherry or docker).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }
teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
}
api() { curl -fs --unix-socket "$ENGINE/sock" "http://x/$1"; }

@test "the files of a container have paths once its first start has made them" {
  client create --name files busybox true
  run -0 client inspect -f '{{.ResolvConfPath}}{{.HostnamePath}}{{.HostsPath}}{{.LogPath}}' files
  [ "$output" = '' ]
  client start -a files
  for field in ResolvConfPath HostnamePath HostsPath LogPath; do
    run -0 client inspect -f "{{.$field}}" files
    [ -f "$output" ]
  done
}

@test "volumes are null where neither user nor image has any" {
  client create --name none busybox true
  run -0 client inspect -f '{{json .Config.Volumes}}' none
  [ "$output" = null ]
}

@test "a chosen MAC address is shown from the start and survives restarts" {
  client create --name mac --mac-address 02:42:ac:11:00:99 busybox cat /sys/class/net/eth0/address
  run -0 client inspect -f '{{.Config.MacAddress}} {{.NetworkSettings.Networks.bridge.MacAddress}}' mac
  [ "$output" = '02:42:ac:11:00:99 02:42:ac:11:00:99' ]
  for turn in 1 2; do
    run -0 client start -a mac
    [ "$output" = 02:42:ac:11:00:99 ]
  done
}

@test "what is not confined is shown without labels" {
  client create --name privileged --privileged --security-opt no-new-privileges busybox true
  run -0 client inspect -f '{{.HostConfig.SecurityOpt}}' privileged
  [ "$output" = '[no-new-privileges label=disable]' ]
  client create --name host-pid --pid host busybox true
  run -0 client inspect -f '{{.HostConfig.SecurityOpt}}' host-pid
  [ "$output" = '[label=disable]' ]
}

@test "inspect and ps follow the version of the API" {
  needs_recent_client
  client run -d --name versions --annotation a=b --network none busybox sleep 60
  api v1.47/containers/versions/json | grep -v GwPriority
  api v1.48/containers/versions/json | grep '"GwPriority":0'
  api v1.45/containers/json | grep -v Annotations
  api v1.46/containers/json | grep '"Annotations":{"a":"b"}'
  run -0 client inspect -f '{{len .NetworkSettings.Networks.none.EndpointID}}' versions
  [ "$output" = 64 ]
}

@test "a list leaves out what nobody asked for, and every column is there when it is shown" {
  client run -d --name columns --network none --label a=b -v /tmp:/host busybox sleep 60
  local list; list=$(api 'v1.45/containers/json?omit=HostConfig,NetworkSettings,Mounts')
  [ "$(jq -c '[.[0] | has("HostConfig", "NetworkSettings", "Mounts", "Names")]' <<<"$list")" = '[false,false,false,true]' ]
  [ "$(api v1.45/containers/json | jq -c '[.[0] | has("HostConfig", "NetworkSettings", "Mounts")]')" = '[true,true,true]' ]
  local last=(ps -n 1 --format)
  [ "$(client "${last[@]}" '{{.Networks}} {{.Mounts}} {{.LocalVolumes}} {{.Labels}} {{.Label "a"}} {{.State}}')" = 'none /tmp 0 a=b b running' ]
  [ "$(client "${last[@]}" '{{.Label "a"}}')" = b ]
  [ "$(client "${last[@]}" '{{with .}}{{.Mounts}}{{end}}')" = /tmp ]
  client "${last[@]}" '{{json .}}' | grep '"Labels":"a=b","LocalVolumes":"0","Mounts":"/tmp","Names":"columns","Networks":"none"'
}

@test "a start that fails says so once" {
  needs_recent_client
  client create --name fails busybox nosuch
  run -1 client start -a fails
  [ "$(grep -c 'executable file not found' <<<"$output")" = 1 ]
  [[ $output != *'waiting for container'* ]]
}

@test "the values of log options are checked at the start" {
  client create --name logs --log-opt max-size=bad busybox true
  run -1 client start logs
  [[ $output == *'failed to initialize logging driver: invalid size: '"'bad'"* ]]
  run -0 client inspect -f '{{.State.Status}} {{.State.ExitCode}}' logs
  [ "$output" = 'created 128' ]
  run -1 client create --log-opt max-buffer-size=1m busybox
  [[ $output == *"logger: max-buffer-size option is only supported with 'mode=non-blocking'"* ]]
}

@test "what cannot be honoured is refused" {
  run -1 client create --network container: busybox
  [[ $output == *'Invalid network mode: invalid container format container:<name|id>'* ]]
  # 404 would have a client look for the image.
  run -1 client create --volumes-from nosuch busybox
  [ "${lines[0]}" = 'Error response from daemon: No such container: nosuch' ]
}

@test "kill names what it was to kill once" {
  run -1 client kill nosuch
  [[ $output == *'cannot kill container: nosuch: No such container: nosuch' ]]
  client create --name quiet busybox true
  run -1 client kill quiet
  [[ $output =~ 'cannot kill container: quiet: container '[0-9a-f]{64}' is not running' ]]
}

@test "an exec with a relative folder fails as an exec" {
  client run -d --name folder busybox sleep 60
  run -126 client exec -w relative folder pwd
  [[ $output == *'OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown'* ]]
}

@test "ps finds exposed ports by range while the container runs" {
  client run -d --name exposed --expose 85 busybox sleep 60
  client create --name still --expose 85 busybox true
  for value in 85 80-90 85/tcp; do
    run -0 client ps -a --filter "expose=$value" --format '{{.Names}}'
    [ "$output" = exposed ]
  done
  run -0 client ps -a --filter expose=85/udp -q
  [ "$output" = '' ]
  run -1 client ps --filter expose=90-80
  [[ $output == *'error while looking up for expose 90-80: Invalid range specified for the Port: 90-80'* ]]
}
