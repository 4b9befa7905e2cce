# Default address pools, the daemon's options for networks, and many networks and containers at once.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  # 10.90.0.0/16 in parts of /27: 2,048 of them, of which the host has routes to the first two.
  ip link add wtroute$$ type veth peer name wtother$$
  ip link set wtroute$$ up
  ip addr add 10.90.0.1/26 dev wtroute$$
  export ROUTE=wtroute$$
  engine_start --default-address-pool base=10.90.0.0/16,size=27 --default-address-pool base=fd90::/32,size=64 \
    --ipv6 --fixed-cidr-v6 fd91::/64 --icc=false
  image_busybox
}
teardown_file() {
  engine_stop; local status=$?
  ip link del "$ROUTE"
  return $status
}
teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
  client network prune -f >/dev/null
}

@test "networks come from the pools, one after the other, past the host's routes" {
  client network create --ipv6 na; client network create nb
  [ "$(client network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' bridge na nb)" = \
    $'fd91::/64 10.90.0.64/27 \n10.90.0.96/27 fd90::/64 \n10.90.0.128/27 ' ]
  client network rm na
  client network create nc
  [ "$(client network inspect -f '{{(index .IPAM.Config 0).Subnet}}' nc)" = 10.90.0.96/27 ]
}

@test "the default bridge has IPv6, and keeps its containers apart" {
  client run -d --name web busybox httpd -f -p '[::]:80' -h /etc
  local v4 v6
  v4=$(client inspect -f '{{.NetworkSettings.IPAddress}}' web) v6=$(client inspect -f '{{.NetworkSettings.GlobalIPv6Address}}' web)
  [[ $v4 == 10.90.0.* && $v6 == fd91::* ]]
  curl -fs "http://[$v6]/group" | grep -q wheel
  run client run --rm busybox timeout 1 wget -qO- "http://$v4/group"
  [ "$status" -ne 0 ]
  run client run --rm busybox timeout 1 wget -qO- "http://[$v6]/group"
  [ "$status" -ne 0 ]
}

@test "200 networks at once: none overlaps another, and all go again" {
  local i
  for i in $(seq 200); do
    curl -fsS --unix-socket "$ENGINE/sock" -H 'Content-Type: application/json' -d "{\"Name\":\"many$i\"}" http://x/networks/create \
      >>"$BATS_TEST_TMPDIR/out" 2>>"$BATS_TEST_TMPDIR/err" 3>&- &
    [ $((i % 25)) != 0 ] || wait
  done
  wait
  [ ! -s "$BATS_TEST_TMPDIR/err" ] || { cat "$BATS_TEST_TMPDIR/err"; return 1; }
  local subnets; subnets=$(client network inspect -f '{{(index .IPAM.Config 0).Subnet}}' $(client network ls -q -f name=many))
  [ "$(wc -l <<<"$subnets")" = 200 ]
  [ "$(sort -u <<<"$subnets" | wc -l)" = 200 ]
  [ "$(ip -o link show type bridge | grep -c ': br-')" = 200 ]
  client network prune -f >/dev/null
  [ "$(ip -o link show type bridge | grep -c ': br-')" = 0 ]
}

@test "200 containers at once have 200 addresses" {
  client network create --subnet 10.91.0.0/24 na
  local i
  for i in $(seq 200); do
    client create --network na --name "at$i" busybox true >/dev/null 3>&- &
    [ $((i % 20)) != 0 ] || wait
  done
  wait
  # They keep their addresses only while they run: 40 at a time is what the machine bears.
  for i in $(seq 40); do client run -d --network na --name "run$i" busybox sleep 600 >/dev/null 3>&- & [ $((i % 10)) != 0 ] || wait; done
  wait
  [ "$(client network inspect -f '{{range .Containers}}{{println .IPv4Address}}{{end}}' na | grep -c .)" = 40 ]
  [ "$(client network inspect -f '{{range .Containers}}{{println .IPv4Address}}{{end}}' na | sort -u | grep -c .)" = 40 ]
}

@test "a pool that is used up, and pools that are wrong" {
  local made=0
  engine_halt TERM; engine_launch --default-address-pool base=10.92.0.0/28,size=29
  client network create na
  run client network create nb
  [ "$status" -ne 0 ] && [[ $output == *'all predefined address pools have been fully subnetted'* ]]
  client network rm na
  client network create nb
  client network rm nb
  run "$PROGRAMS/wherryd" --validate --default-address-pool base=10.92.0.0/28,size=27
  [ "$status" -ne 0 ]
  echo '{"default-address-pools":[{"base":"10.93.0.0/16","size":24}]}' >"$BATS_TEST_TMPDIR/daemon.json"
  engine_halt TERM; engine_launch --config-file "$BATS_TEST_TMPDIR/daemon.json"
  [ "$(client network inspect -f '{{(index .IPAM.Config 0).Subnet}}' bridge)" = 10.93.0.0/24 ]
}
