# Networks: create, list, inspect, connect, disconnect, remove, prune.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start
  image_busybox
}
teardown_file() { engine_stop; }

teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
  client network prune -f >/dev/null
}

fails_with() { # TEXT COMMAND…: the command fails and says so
  local text=$1; shift
  run "$@"
  [ "$status" -ne 0 ] && [[ $output == *"$text"* ]] || { echo "status $status: $output"; return 1; }
}

@test "the networks that are always there" {
  run client network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'
  [ "$output" = $'bridge bridge local\nhost host local\nnone null local' ]
  [ "$(client network inspect -f '{{(index .IPAM.Config 0).Gateway}}' bridge)" != '' ]
  fails_with 'bridge is a pre-defined network and cannot be removed' client network rm bridge
  fails_with 'operation is not permitted on predefined host network' client network create host
}

@test "a network with everything said about it" {
  local id; id=$(client network create --subnet 10.81.0.0/24 --gateway 10.81.0.254 --ip-range 10.81.0.128/25 \
    --aux-address a=10.81.0.128 --internal --attachable --label a=b --label c -o com.docker.network.driver.mtu=1400 full)
  [ ${#id} = 64 ]
  [ "$(client network inspect -f '{{json .IPAM.Config}}' full)" = \
    '[{"Subnet":"10.81.0.0/24","IPRange":"10.81.0.128/25","Gateway":"10.81.0.254","AuxiliaryAddresses":{"a":"10.81.0.128"}}]' ]
  [ "$(client network inspect -f '{{.Internal}} {{.Attachable}} {{.Labels}}' full)" = 'true true map[a:b c:]' ]
  # The first address of the range is the auxiliary one.
  run client run --rm --network full busybox sh -c 'ip -4 addr show eth0; cat /sys/class/net/eth0/mtu; ip route'
  [[ $output == *10.81.0.129/24* && $output == *1400* && $output != *default* ]]
  fails_with 'network with name full already exists' client network create full
  fails_with 'Pool overlaps with other one on this address space' client network create --subnet 10.81.0.0/16 other
  client network rm full
  fails_with 'network full not found' client network inspect full
}

@test "what is wrong with a network is said" {
  fails_with 'no matching subnet for gateway 10.3.0.1' client network create --subnet 10.82.0.0/24 --gateway 10.3.0.1 x
  fails_with 'it should be 10.82.0.0/24' client network create --subnet 10.82.0.5/24 x
  fails_with 'plugin "nosuch" not found' client network create -d nosuch x
  fails_with 'failed to parse com.docker.network.driver.mtu value: x' client network create -o com.docker.network.driver.mtu=x x
  fails_with 'only one instance of "host" network is allowed' client network create -d host x
  fails_with 'numerical result out of range' client network create -o com.docker.network.bridge.name=averyveryverylongname x
  [ -z "$(client network ls -q -f type=custom)" ]
  [ -z "$(ip -o link show type bridge | grep br-)" ]
}

@test "filters and formats of ls" {
  client network create --label k=v n1
  client network create n2
  [ "$(client network ls -f label=k --format '{{.Name}} {{.Labels}}')" = 'n1 k=v' ]
  [ "$(client network ls -f type=custom --format '{{.Name}}')" = $'n1\nn2' ]
  [ "$(client network ls -f name=n2 -q)" = "$(client network inspect -f '{{slice .Id 0 12}}' n2)" ]
  [ "$(client network ls -f driver=null --format '{{.Name}}')" = none ]
  client run -d --name cc --network n1 busybox sleep 600
  [ "$(client network ls -f dangling=true --format '{{.Name}}')" = n2 ]
  fails_with "invalid filter 'foo'" client network ls -f foo=bar
  fails_with 'has active endpoints' client network rm n1
  run client network prune -f
  [ "$output" = $'Deleted Networks:\nn2' ]
}

@test "static addresses, aliases and MACs" {
  client network create --subnet 10.83.0.0/24 n
  client run -d --name cc --network n --ip 10.83.0.50 --network-alias al --mac-address 02:42:0a:00:00:99 busybox sleep 600
  [ "$(client inspect -f '{{with index .NetworkSettings.Networks "n"}}{{.IPAddress}} {{.Gateway}} {{.MacAddress}} {{.Aliases}}{{end}}' cc)" = \
    '10.83.0.50 10.83.0.1 02:42:0a:00:00:99 [al]' ]
  client exec cc ip link show eth0 | grep -q 02:42:0a:00:00:99
  fails_with 'Address already in use' client run --rm --network n --ip 10.83.0.50 busybox true
  fails_with 'no configured subnet or ip-range contain the IP address 1.2.3.4' client run --rm --network n --ip 1.2.3.4 busybox true
  fails_with 'user specified IP address is supported on user defined networks only' client run --rm --ip 172.17.0.99 busybox true
  client restart -t 0 cc
  [ "$(client inspect -f '{{(index .NetworkSettings.Networks "n").IPAddress}}' cc)" = 10.83.0.50 ]
}

@test "containers of one network reach each other, those of two do not" {
  client network create n1; client network create n2; client network create --internal n3
  client run -d --name ca --network n1 busybox httpd -f -p 80 -h /etc
  client run -d --name cb --network n2 busybox sleep 600
  client run -d --name cc --network n3 busybox sleep 600
  local a; a=$(client inspect -f '{{(index .NetworkSettings.Networks "n1").IPAddress}}' ca)
  client run --rm --network n1 busybox timeout 5 wget -qO- "http://$a/group" | grep -q wheel
  run client exec cb timeout 1 wget -qO- "http://$a/group"
  [ "$status" -ne 0 ]
  run client exec cc timeout 1 wget -qO- "http://$a/group"
  [ "$status" -ne 0 ]
}

@test "connect and disconnect of a running container" {
  client network create --subnet 10.84.0.0/24 n1; client network create --subnet 10.85.0.0/24 n2
  client run -d --name cc --network n1 busybox sleep 600
  client network connect --alias other --ip 10.85.0.7 n2 cc
  client exec cc ip -4 addr show eth1 | grep -q '10.85.0.7/24'
  [ "$(client exec cc ip route | grep default)" = 'default via 10.84.0.1 dev eth0 ' ]
  client exec cc grep -q '^10.85.0.7' /etc/hosts
  [ "$(client network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}' n2)" = 'cc 10.85.0.7/24' ]
  fails_with 'endpoint with name cc already exists in network n2' client network connect n2 cc
  client network disconnect n1 cc
  [ "$(client exec cc ip route | grep default)" = 'default via 10.85.0.1 dev eth1 ' ]
  run client exec cc grep '^10.84.0' /etc/hosts
  [ "$status" -ne 0 ]
  fails_with 'is not connected to network n1' client network disconnect n1 cc
  [ "$(client inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}' cc)" = n2 ]
  fails_with 'container cannot be disconnected from host network or connected to host network' client network connect host cc
}

@test "connect and disconnect of a stopped container" {
  client network create n1; client network create n2
  client create --name cc --network n1 busybox sleep 600
  client network connect n2 cc
  client start cc
  [ "$(client exec cc ls /sys/class/net)" = $'eth0\neth1\nlo' ]
  client stop -t 0 cc
  client network disconnect n1 cc
  client start cc
  [ "$(client exec cc ls /sys/class/net)" = $'eth0\nlo' ]
}

@test "several networks from the start, and which one leads out" {
  needs_recent_client
  client network create --subnet 10.86.0.0/24 nb; client network create --subnet 10.87.0.0/24 na
  run client run --rm --network nb --network na busybox ip route
  [[ $output == *'default via 10.87.0.1 dev eth1'* ]]
  [ "$CLIENT" = wherry ] || return 0
  run client run --rm --network name=nb,gw-priority=5 --network na busybox ip route
  [[ $output == *'default via 10.86.0.1 dev eth0'* ]]
}

@test "enable_icc=false keeps containers apart" {
  client network create -o com.docker.network.bridge.enable_icc=false n
  client run -d --name ca --network n busybox httpd -f -p 80 -h /etc
  local a; a=$(client inspect -f '{{(index .NetworkSettings.Networks "n").IPAddress}}' ca)
  run client run --rm --network n busybox timeout 1 wget -qO- "http://$a/group"
  [ "$status" -ne 0 ]
  curl -fs "http://$a/group" | grep -q wheel # the host is no port of the bridge
}

@test "networks outlive the engine" {
  client network create --subnet 10.88.0.0/24 --label x=y n
  client run -d --name cc --network n -p 18090:80 busybox httpd -f -p 80 -h /etc
  local id; id=$(client network inspect -f '{{.Id}}' n)
  engine_halt KILL; engine_launch
  [ "$(client network inspect -f '{{.Id}} {{.Labels}} {{len .Containers}}' n)" = "$id map[x:y] 1" ]
  curl -fs http://127.0.0.1:18090/group | grep -q wheel
  client run --rm --network n busybox timeout 5 wget -qO- http://10.88.0.2/group | grep -q wheel
  fails_with 'has active endpoints' client network rm n
}

@test "a network that is not there is missed at the start" {
  client create --name cc --network nosuch busybox true
  fails_with 'network nosuch not found' client start cc
  fails_with 'network nosuch not found' client network connect nosuch cc
}

@test "what is refused has Docker's status" {
  client create --name stands busybox true
  ask() { curl -s --unix-socket "$ENGINE/sock" -H 'Content-Type: application/json' -d "$2" "http://x/v1.45/networks/$1" -w '%{http_code}'; }
  run -0 ask create '{"Name":"bridge"}'
  [[ $output == *'operation is not permitted on predefined bridge network "}'$'\n'403 ]]
  run -0 ask create '{"Name":"nn","Scope":"swarm"}'
  [[ $output == *'swarm is not active'*403 ]]
  run -0 ask create '{"Name":"nn","ConfigOnly":true,"Internal":true}'
  [[ $output == *'configuration network can only contain network specific fields'*403 ]]
  run -0 ask create '{"Name":"nn","ConfigFrom":{"Network":"nosuch"}}'
  [[ $output == *'configuration network \"nosuch\" does not exist'*404 ]]
  run -0 ask host/connect '{"Container":"stands"}'
  [[ $output == *'cannot be disconnected from host network or connected to host network'*400 ]]
  run -0 ask bridge/disconnect '{"Container":"nosuch","Force":true}'
  [[ $output == *'endpoint nosuch not found'*404 ]]
  run -0 ask none/disconnect '{"Container":"stands"}'
  [[ $output == *'is not connected to the network none'*500 ]]
  client rm stands
}
