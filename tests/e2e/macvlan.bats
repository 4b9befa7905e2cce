# macvlan: containers on a link of the host's, in every mode. The link is a veth whose other end is another host.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start
  image_busybox
}
teardown_file() { engine_stop; }

setup() {
  NAMESPACE=out$$ PARENT=wtp$$
  ip netns add "$NAMESPACE"
  ip link add "$PARENT" type veth peer name eth0 netns "$NAMESPACE"; ip link set "$PARENT" up
  ip -n "$NAMESPACE" addr add 10.70.0.1/24 dev eth0; ip -n "$NAMESPACE" addr add fd70::1/64 dev eth0 nodad
  ip -n "$NAMESPACE" link set eth0 up; ip -n "$NAMESPACE" link set lo up
}
teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
  client network prune -f >/dev/null
  ip netns pids "$NAMESPACE" | xargs -r kill
  ip netns del "$NAMESPACE" 2>/dev/null || true
  ip link del "$PARENT" 2>/dev/null || true
}

fails_with() { # TEXT COMMAND…
  local text=$1; shift
  run "$@"
  [ "$status" -ne 0 ] && [[ $output == *"$text"* ]] || { echo "status $status: $output"; return 1; }
}
serve() { # NAME OPTIONS…
  local name=$1 i; shift
  client run -d --name "$name" "$@" busybox sh -c "mkdir /www; echo $name >/www/index.html; exec httpd -f -p '[::]:80' -h /www" >/dev/null
  for i in $(seq 50); do client exec "$name" wget -qO- http://127.0.0.1/ >/dev/null 2>&1 && return 0; sleep 0.1; done
  return 1
}
from_outside() { ip netns exec "$NAMESPACE" curl -fs --max-time 5 "$@"; }

@test "bridge mode: seen by other hosts and by each other, by name, with their own addresses" {
  client network create -d macvlan --ipv6 --subnet 10.70.0.0/24 --gateway 10.70.0.1 --subnet fd70::/64 --gateway fd70::1 \
    --ip-range 10.70.0.128/25 -o parent="$PARENT" na
  serve web --network na --mac-address 02:42:0a:46:00:77
  [ "$(client network inspect -f '{{.Driver}} {{.Options.parent}}' na)" = "macvlan $PARENT" ]
  [ "$(client inspect -f '{{with .NetworkSettings.Networks.na}}{{.IPAddress}} {{.Gateway}} {{.GlobalIPv6Address}} {{.MacAddress}}{{end}}' web)" = \
    '10.70.0.128 10.70.0.1 fd70::2 02:42:0a:46:00:77' ]
  [ "$(from_outside http://10.70.0.128/)" = web ]
  [ "$(from_outside 'http://[fd70::2]/')" = web ]
  [ "$(ip -n "$NAMESPACE" neigh show 10.70.0.128 | grep -o 02:42:0a:46:00:77)" = 02:42:0a:46:00:77 ]
  [ "$(client run --rm --network na busybox timeout 5 wget -qO- http://web/)" = web ]
  client run --rm --network na busybox timeout 5 ping -c 1 10.70.0.1
  client run --rm --network na busybox ip route | grep -q 'default via 10.70.0.1 dev eth0'
}

@test "private and vepa keep containers apart, but not from other hosts" {
  local mode
  for mode in private vepa; do
    client network create -d macvlan --subnet 10.70.0.0/24 --gateway 10.70.0.1 -o parent="$PARENT" -o macvlan_mode=$mode na
    serve web --network na
    [ "$(from_outside http://10.70.0.2/)" = web ]
    run client run --rm --network na busybox timeout 1 wget -qO- http://10.70.0.2/
    [ "$status" -ne 0 ]
    client rm -f web; client network rm na
  done
}

@test "passthru has its parent for itself" {
  client network create -d macvlan --subnet 10.70.0.0/24 --gateway 10.70.0.1 -o parent="$PARENT" -o macvlan_mode=passthru na
  serve web --network na
  [ "$(from_outside http://10.70.0.2/)" = web ]
  fails_with "is already using parent interface $PARENT in mode passthru" client network create -d macvlan -o parent="$PARENT" nb
  client rm -f web; client network rm na
  client network create -d macvlan --subnet 10.71.0.0/24 -o parent="$PARENT" nb
  fails_with "cannot use mode passthru, macvlan network" client network create -d macvlan -o parent="$PARENT" -o macvlan_mode=passthru nc
  client network create -d macvlan --subnet 10.72.0.0/24 -o parent="$PARENT" nc
}

@test "several subnets, and an address of the second" {
  client network create -d macvlan --subnet 10.70.0.0/24 --gateway 10.70.0.1 --subnet 10.73.0.0/24 --gateway 10.73.0.1 -o parent="$PARENT" na
  # docker sends several subnets in any order, and the first gives the address.
  client run --rm --network na busybox ip -4 addr show eth0 | grep -q '10\.7[03]\.0\.2/24'
  run client run --rm --network na --ip 10.73.0.9 busybox ip route
  [[ $output == *'default via 10.73.0.1 dev eth0'* ]]
}

@test "a running container joins and leaves; the engine comes back to it" {
  client network create -d macvlan --subnet 10.70.0.0/24 --gateway 10.70.0.1 -o parent="$PARENT" na
  client network create --subnet 10.74.0.0/24 nb
  serve web --network nb
  client network connect na web
  [ "$(from_outside http://10.70.0.2/)" = web ]
  engine_halt KILL; engine_launch
  [ "$(from_outside http://10.70.0.2/)" = web ]
  client run --rm --network na busybox ip -4 addr show eth0 | grep -q 10.70.0.3/24
  client network disconnect na web
  [ "$(client exec web ls /sys/class/net)" = $'eth0\nlo' ]
  [ "$(client exec web ip route | grep default)" = 'default via 10.74.0.1 dev eth0 ' ]
  fails_with 'is not connected to network na' client network disconnect na web
}

@test "what cannot be" {
  fails_with 'loopback interface is not a valid macvlan parent link' client network create -d macvlan -o parent=lo na
  fails_with 'invalid subinterface vlan name nosuch, example formatting is eth0.10' client network create -d macvlan -o parent=nosuch na
  fails_with '-o parent interface was not found on the host: nosuch' client network create -d macvlan -o parent=nosuch.7 na
  fails_with 'vlan id must be between 1-4094' client network create -d macvlan -o parent="$PARENT".5000 na
  fails_with "requested macvlan mode 'foo' is not valid, 'bridge' mode is the macvlan driver default" \
    client network create -d macvlan -o macvlan_mode=foo na
  fails_with "requested ipvlan mode 'foo' is not valid, 'l2' mode is the ipvlan driver default" \
    client network create -d ipvlan -o ipvlan_mode=foo na
  [ -z "$(client network ls -q -f type=custom)" ]
}

@test "what this kernel may not have: VLANs, parents of our own, ipvlan" {
  local made=$BATS_TEST_TMPDIR/made
  if client network create -d macvlan --subnet 10.70.5.0/24 -o parent="$PARENT.5" na 2>"$made"; then
    ip link show "$PARENT.5" | grep -q ',UP'
    ip -n "$NAMESPACE" link add link eth0 name eth0.5 type vlan id 5
    ip -n "$NAMESPACE" addr add 10.70.5.1/24 dev eth0.5; ip -n "$NAMESPACE" link set eth0.5 up
    client run --rm --network na busybox timeout 5 ping -c 1 10.70.5.1
    client network rm na
    run ip link show "$PARENT.5"
    [ "$status" -ne 0 ]
  else
    grep -q 'operation not supported: this kernel has no vlan' "$made"
  fi
  if client network create -d macvlan --subnet 10.75.0.0/24 na 2>"$made"; then
    serve web --network na
    [ "$(client run --rm --network na busybox timeout 5 wget -qO- http://web/)" = web ]
    run client run --rm --network na busybox ip route
    [[ $output != *default* ]]
    ip link show type dummy | grep -q dm-
    client rm -f web; client network rm na
    [ -z "$(ip link show type dummy | grep dm-)" ]
  else
    grep -q 'operation not supported: this kernel has no dummy' "$made"
  fi
  if client network create -d ipvlan --subnet 10.70.0.0/24 --gateway 10.70.0.1 -o parent="$PARENT" na 2>"$made"; then
    serve web --network na
    [ "$(from_outside http://10.70.0.2/)" = web ]
    [ "$(client run --rm --network na busybox timeout 5 wget -qO- http://web/)" = web ]
    client rm -f web; client network rm na
    client network create -d ipvlan --subnet 10.76.0.0/24 -o parent="$PARENT" -o ipvlan_mode=l3 na
    run client run --rm --network na busybox ip route
    [[ $output == *'default dev eth0'* ]]
  else
    grep -q 'operation not supported: this kernel has no ipvlan' "$made"
  fi
}
