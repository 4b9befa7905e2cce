# IPv6: addresses, routes, published ports, names, the way out.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  [ -e /proc/net/if_inet6 ] || skip 'this kernel has no IPv6'
  engine_start
  image_busybox
}
teardown_file() { engine_stop; }

teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
  client network prune -f >/dev/null
  ip netns pids "$NAMESPACE" 2>/dev/null | xargs -r kill
  ip netns del "$NAMESPACE" 2>/dev/null || true
}

fails_with() { # TEXT COMMAND…
  local text=$1; shift
  run "$@"
  [ "$status" -ne 0 ] && [[ $output == *"$text"* ]] || { echo "status $status: $output"; return 1; }
}

serve() { # NAME OPTIONS…: a web server that knows its name, on every address
  local name=$1 i; shift
  client run -d --name "$name" "$@" busybox sh -c "mkdir /www; echo $name >/www/index.html; exec httpd -f -p '[::]:80' -h /www" >/dev/null
  for i in $(seq 50); do client exec "$name" wget -qO- http://127.0.0.1/ >/dev/null 2>&1 && return 0; sleep 0.1; done
  return 1
}

outside() { # another host with both families: we are 10.200.0.1 and fd77::1, it is .2
  NAMESPACE=out$$
  ip netns add "$NAMESPACE"
  ip link add "o$$" type veth peer name eth0 netns "$NAMESPACE"
  ip addr add 10.200.0.1/24 dev "o$$"; ip addr add fd77::1/64 dev "o$$" nodad; ip link set "o$$" up
  ip -n "$NAMESPACE" addr add 10.200.0.2/24 dev eth0; ip -n "$NAMESPACE" addr add fd77::2/64 dev eth0 nodad
  ip -n "$NAMESPACE" link set eth0 up; ip -n "$NAMESPACE" link set lo up
}

@test "a network with IPv6 has a subnet of this engine's own, unless one is named" {
  client network create --ipv6 na; client network create --ipv6 nb
  [ "$(client network inspect -f '{{.EnableIPv6}} {{len .IPAM.Config}}' na)" = 'true 2' ]
  local a b
  a=$(client network inspect -f '{{(index .IPAM.Config 1).Subnet}}' na)
  b=$(client network inspect -f '{{(index .IPAM.Config 1).Subnet}}' nb)
  [[ $a == fd*:*::/64 && $b == fd*:*/64 && $a != "$b" ]]
  client network create --ipv6 --subnet fd00:aa::/64 --ip-range fd00:aa::8000/120 --gateway fd00:aa::ff --aux-address x=fd00:aa::8001 nc
  client run -d --name cc --network nc busybox sleep 600
  [ "$(client inspect -f '{{with .NetworkSettings.Networks.nc}}{{.GlobalIPv6Address}}/{{.GlobalIPv6PrefixLen}} {{.IPv6Gateway}}{{end}}' cc)" = 'fd00:aa::8000/64 fd00:aa::ff' ]
  client exec cc ip -6 addr show eth0 | grep -q 'fd00:aa::8000/64'
  [ "$(client exec cc ip -6 route show default)" = 'default via fd00:aa::ff dev eth0  metric 1024 ' ]
  client exec cc grep -q '^fd00:aa::8000' /etc/hosts
  [ "$(client exec cc cat /proc/sys/net/ipv6/conf/eth0/accept_ra)" = 0 ]
  [ "$(client network inspect -f '{{range .Containers}}{{.IPv6Address}}{{end}}' nc)" = fd00:aa::8000/64 ]
  client run --rm --network nc busybox ip -6 addr show eth0 | grep -q 'fd00:aa::8002/64'
}

@test "without IPv6 a container has none" {
  client network create --subnet 10.60.0.0/24 na
  run client run --rm --network na busybox ip -6 addr show eth0
  [ "$output" = '' ]
}

@test "IPv6 alone" {
  needs_recent_client
  client network create --ipv4=false --ipv6 --subnet fd00:ab::/64 na || [ "$CLIENT" = docker ]
  serve web --network na -p 18080:80
  [ "$(client inspect -f '{{with .NetworkSettings.Networks.na}}{{.IPAddress}}|{{.GlobalIPv6Address}}{{end}}' web)" = '|fd00:ab::2' ]
  [ -z "$(client exec web ip -4 addr show eth0)" ]
  [ "$(curl -fs "http://[::1]:18080")" = web ]
  [ "$(client port web)" = '80/tcp -> [::]:18080' ]
  [ "$(client run --rm --network na busybox timeout 5 wget -qO- http://web/)" = web ]
  fails_with 'IPv4 or IPv6 must be enabled' client network create --ipv4=false nb
}

@test "what is wrong with IPv6 options" {
  client network create --ipv6 --subnet fd00:aa::/64 na
  fails_with 'Pool overlaps with other one on this address space' client network create --ipv6 --subnet fd00:aa::/80 nb
  fails_with "bridge driver doesn't support multiple subnets" client network create --ipv6 --subnet fd00:ac::/64 --subnet fd00:ad::/64 nb
  fails_with 'it should be fd00:ac::/64' client network create --ipv6 --subnet fd00:ac::5/64 nb
  fails_with 'no configured subnet or ip-range contain the IP address fd00:99::7' client run --rm --network na --ip6 fd00:99::7 busybox true
  client run -d --name cc --network na --ip6 fd00:aa::77 busybox sleep 600
  client exec cc ip -6 addr show eth0 | grep -q fd00:aa::77/64
  fails_with 'Address already in use' client run --rm --network na --ip6 fd00:aa::77 busybox true
  client network create --ipv6 nb
  fails_with 'user specified IP address is supported only when connecting to networks with user configured subnets' \
    client run --rm --network nb --ip6 fd00:99::7 busybox true
  [ "$(ip -o link show type bridge | grep -c ' br-')" = 2 ]
}

@test "published over IPv6, with the client's own address" {
  outside
  client network create --ipv6 --subnet fd00:aa::/64 na
  serve web --network na -p 18080:80 -p '[fd77::1]:18081:80'
  [ "$(curl -fs "http://[::1]:18080")" = web ]
  [ "$(curl -fs "http://127.0.0.1:18080")" = web ]
  [ "$(curl -fs "http://[fd00:aa::1]:18080")" = web ]
  [ "$(ip netns exec "$NAMESPACE" curl -fs --max-time 10 "http://[fd77::1]:18080")" = web ]
  [ "$(ip netns exec "$NAMESPACE" curl -fs --max-time 10 "http://[fd77::1]:18081")" = web ]
  [ "$(client exec web timeout 5 wget -qO- 'http://[fd00:aa::1]:18080/')" = web ] # hairpin
  client exec web sh -c 'mkdir /www/cgi-bin; printf "#!/bin/sh\necho; echo \$REMOTE_ADDR\n" >/www/cgi-bin/who; chmod +x /www/cgi-bin/who'
  run ip netns exec "$NAMESPACE" curl -fs --max-time 10 "http://[fd77::1]:18080/cgi-bin/who"
  [[ $output == *fd77::2* ]] || { echo "$output"; return 1; }
  # What was not published stays closed, even to who knows the way.
  ip -n "$NAMESPACE" -6 route add fd00:aa::/64 via fd77::1
  run ip netns exec "$NAMESPACE" curl -fs --max-time 1 "http://[fd00:aa::2]/"
  [ "$status" -ne 0 ]
}

@test "out over IPv6 with the host's address, and not from an internal network" {
  outside
  client network create --ipv6 na; client network create --ipv6 --internal nb
  (cd "$BATS_TEST_TMPDIR"; mkdir cgi-bin; printf '#!/bin/sh\necho; echo $REMOTE_ADDR\n' >cgi-bin/who; chmod +x cgi-bin/who
    exec ip netns exec "$NAMESPACE" busybox httpd -p '[::]:80') 3>&-
  run client run --rm --network na busybox timeout 5 wget -qO- 'http://[fd77::2]/cgi-bin/who'
  local first=$output
  run client run --rm --network nb busybox timeout 1 wget -qO- 'http://[fd77::2]/cgi-bin/who'
  local second=$status
  ip netns pids "$NAMESPACE" | xargs -r kill
  [[ $first == *fd77::1* ]]
  [ "$second" -ne 0 ]
  [ -z "$(client run --rm --network nb busybox ip -6 route show default)" ]
}

@test "networks with IPv6 are apart, and names have both addresses" {
  client network create --ipv6 --subnet fd00:aa::/64 na; client network create --ipv6 nb
  serve web --network na --network-alias www
  client run -d --name other --network nb busybox sleep 600
  run client exec other timeout 1 wget -qO- 'http://[fd00:aa::2]/'
  [ "$status" -ne 0 ]
  client run -d --name cc --network na busybox sleep 600
  run client exec cc nslookup -type=aaaa www 127.0.0.11
  [[ $output == *'Address: fd00:aa::2'* ]]
  run client exec cc nslookup fd00:aa::2 127.0.0.11
  [[ $output == *'name = web.na'* ]]
  [ "$(client exec cc timeout 5 wget -qO- 'http://[fd00:aa::2]/')" = web ]
}

@test "connect and disconnect change the routes of both families" {
  client network create --ipv6 --subnet 10.84.0.0/24 --subnet fd00:aa::/64 na
  client network create --ipv6 --subnet 10.85.0.0/24 --subnet fd00:ab::/64 nb
  client run -d --name cc --network na busybox sleep 600
  client network connect --ip6 fd00:ab::7 nb cc
  client exec cc ip -6 addr show eth1 | grep -q fd00:ab::7/64
  client exec cc grep -q '^fd00:ab::7' /etc/hosts
  [ "$(client exec cc ip -6 route show default)" = 'default via fd00:aa::1 dev eth0  metric 1024 ' ]
  client network disconnect na cc
  [ "$(client exec cc ip -6 route show default)" = 'default via fd00:ab::1 dev eth1  metric 1024 ' ]
  [ "$(client exec cc ip route | grep default)" = 'default via 10.85.0.1 dev eth1 ' ]
  run client exec cc grep -e '^fd00:aa' -e '^10.84' /etc/hosts
  [ "$status" -ne 0 ]
}

@test "addresses and ports of IPv6 outlive the engine" {
  client network create --ipv6 --subnet fd00:aa::/64 na; client network create --ipv6 nb
  local subnet; subnet=$(client network inspect -f '{{(index .IPAM.Config 1).Subnet}}' nb)
  serve web --network na -p 18080:80
  engine_halt KILL; engine_launch
  [ "$(curl -fs "http://[::1]:18080")" = web ]
  [ "$(curl -fs "http://[fd00:aa::1]:18080")" = web ]
  [ "$(client network inspect -f '{{(index .IPAM.Config 1).Subnet}}' nb)" = "$subnet" ]
  client run --rm --network na busybox ip -6 addr show eth0 | grep -q 'fd00:aa::3/64'
}
