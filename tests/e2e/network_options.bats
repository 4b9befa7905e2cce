# What the options of a bridge network and of an endpoint do, tried from inside the containers and from another host.
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
  ip netns pids "$NAMESPACE" 2>/dev/null | xargs -r kill
  ip netns del "$NAMESPACE" 2>/dev/null || true
}

fails_with() { # TEXT COMMAND…
  local text=$1; shift
  run "$@"
  [ "$status" -ne 0 ] && [[ $output == *"$text"* ]] || { echo "status $status: $output"; return 1; }
}

serve() { # NAME OPTIONS…: a web server that knows its name, and who asks
  local name=$1 i; shift
  client run -d --name "$name" "$@" busybox sh -c "mkdir -p /www/cgi-bin; echo $name >/www/index.html
    printf '#!/bin/sh\necho; echo \$REMOTE_ADDR\n' >/www/cgi-bin/who; chmod +x /www/cgi-bin/who; exec httpd -f -p 80 -h /www" >/dev/null
  for i in $(seq 50); do client exec "$name" wget -qO- http://127.0.0.1/ >/dev/null 2>&1 && return 0; sleep 0.1; done
  return 1
}

outside() { # another host with a web server that tells who asks: we are 10.200.0.1, it is 10.200.0.2
  NAMESPACE=out$$
  ip netns add "$NAMESPACE"
  ip link add "o$$" type veth peer name eth0 netns "$NAMESPACE"
  ip addr add 10.200.0.1/24 dev "o$$"; ip link set "o$$" up
  ip -n "$NAMESPACE" addr add 10.200.0.2/24 dev eth0; ip -n "$NAMESPACE" link set eth0 up; ip -n "$NAMESPACE" link set lo up
  ip -n "$NAMESPACE" route add default via 10.200.0.1
  mkdir -p "$BATS_TEST_TMPDIR/cgi-bin"
  printf '#!/bin/sh\necho; echo $REMOTE_ADDR\n' >"$BATS_TEST_TMPDIR/cgi-bin/who"; chmod +x "$BATS_TEST_TMPDIR/cgi-bin/who"
  (cd "$BATS_TEST_TMPDIR"; exec ip netns exec "$NAMESPACE" busybox httpd -p 10.200.0.2:80) 3>&-
}
leave_outside() { ip netns pids "$NAMESPACE" | xargs -r kill; }
from_outside() { ip netns exec "$NAMESPACE" curl -fs --max-time 2 "$@"; }
B=com.docker.network.bridge

@test "an internal network does not reach out, and nobody reaches in" {
  outside
  client network create --internal na; client network create nb
  serve web --network na -p 18080:80
  client run -d --name cc --network na busybox sleep 600
  [ "$(client exec cc timeout 5 wget -qO- http://web/)" = web ]
  run client exec cc timeout 1 wget -qO- http://10.200.0.2/cgi-bin/who
  local out=$status
  run client exec cc ip route
  [[ $output != *default* ]]
  local address; address=$(client inspect -f '{{.NetworkSettings.Networks.na.IPAddress}}' web)
  run from_outside "http://$address/"
  local in=$status
  # With a network that leads out beside it, it does, and answers of the internal one still do not leave.
  client network connect nb cc
  run client exec cc timeout 5 wget -qO- http://10.200.0.2/cgi-bin/who
  leave_outside
  [ "$out" -ne 0 ] && [ "$in" -ne 0 ] && [ "$status" = 0 ]
}

@test "without masquerading the container's own address is seen; with host_ipv4 the one named" {
  outside
  client network create --subnet 10.61.0.0/24 -o $B.enable_ip_masquerade=false na
  ip addr add 10.200.0.9/24 dev "o$$"
  client network create --subnet 10.62.0.0/24 -o com.docker.network.host_ipv4=10.200.0.9 nb
  run client run --rm --network na busybox timeout 5 wget -qO- http://10.200.0.2/cgi-bin/who
  local first=$output
  run client run --rm --network nb busybox timeout 5 wget -qO- http://10.200.0.2/cgi-bin/who
  leave_outside
  [[ $first == *10.61.0.2* && $output == *10.200.0.9* ]]
  fails_with 'failed to parse com.docker.network.host_ipv4 value: fd00::1' client network create -o com.docker.network.host_ipv4=fd00::1 nc
}

@test "ports are bound where host_binding_ipv4 says" {
  outside
  client network create -o $B.host_binding_ipv4=127.0.0.1 na
  serve web --network na -p 18080:80
  run from_outside http://10.200.0.1:18080/
  leave_outside
  [ "$status" -ne 0 ]
  [ "$(client port web)" = '80/tcp -> 127.0.0.1:18080' ]
  [ "$(curl -fs http://127.0.0.1:18080)" = web ]
  fails_with 'failed to parse com.docker.network.bridge.host_binding_ipv4 value: x' client network create -o $B.host_binding_ipv4=x nb
}

@test "name, MTU and the prefix of interfaces" {
  client network create -o $B.name=wtmine0 -o com.docker.network.driver.mtu=1234 -o com.docker.network.container_iface_prefix=net na
  ip link show wtmine0 | grep -q 'mtu 1234 '
  client run -d --name cc --network na busybox sleep 600
  [ "$(client exec cc cat /sys/class/net/net0/mtu)" = 1234 ]
  client network create -o com.docker.network.container_iface_prefix=dat nb
  client network connect nb cc
  [ "$(client exec cc ls /sys/class/net)" = $'dat1\nlo\nnet0' ]
  fails_with 'networks have same bridge name' client network create -o $B.name=wtmine0 nc
  client rm -f cc; client network rm na
  run ip link show wtmine0
  [ "$status" -ne 0 ]
}

@test "routed: no port of the host, but the published one of the container" {
  outside
  client network create --subnet 10.63.0.0/24 -o $B.gateway_mode_ipv4=routed na
  serve web --network na -p 18080:80
  [ "$(from_outside http://10.63.0.2/)" = web ]
  run from_outside http://10.63.0.2/cgi-bin/who
  [[ $output == *10.200.0.2* ]]
  run from_outside http://10.200.0.1:18080/
  [ "$status" -ne 0 ]
  serve other -p 18080:80 # that port of the host is free
  [ "$(curl -fs http://127.0.0.1:18080)" = other ]
  client exec -d web httpd -f -p 81 -h /www
  run from_outside http://10.63.0.2:81/
  local closed=$status
  run client exec web timeout 5 wget -qO- http://10.200.0.2/cgi-bin/who
  leave_outside
  [ "$closed" -ne 0 ]
  [[ $output == *10.63.0.2* ]]
  ip netns exec "$NAMESPACE" busybox ping -c 1 -W 2 10.63.0.2
  client rm -f web
  run ! client network create -o $B.gateway_mode_ipv4=nosuch nb
  fails_with 'can only be used for an internal network' client network create -o $B.gateway_mode_ipv4=isolated nb
}

@test "nat-unprotected, isolated and trusted links" {
  outside
  client network create --subnet 10.64.0.0/24 -o $B.gateway_mode_ipv4=nat-unprotected na
  serve web --network na
  [ "$(from_outside http://10.64.0.2/)" = web ]
  client network create --subnet 10.65.0.0/24 -o $B.trusted_host_interfaces="nosuch0:o$$" nb
  serve other --network nb
  [ "$(from_outside http://10.65.0.2/)" = other ]
  leave_outside
  client network create --internal --subnet 10.66.0.0/24 -o $B.gateway_mode_ipv4=isolated -o $B.name=wtiso0 nc
  [ -z "$(ip -4 addr show wtiso0 | grep inet)" ]
  serve lone --network nc
  [ "$(client run --rm --network nc busybox timeout 5 wget -qO- http://lone/)" = lone ]
  client network create -o $B.inhibit_ipv4=true -o $B.name=wtinh0 nd
  [ -z "$(ip -4 addr show wtinh0 | grep inet)" ]
}

@test "config-only and config-from, attachable and labels" {
  client network create --config-only --subnet 10.67.0.0/24 --label a=b -o com.docker.network.driver.mtu=1300 base
  fails_with 'cannot create endpoint on configuration-only network' client run --rm --network base busybox true
  client network create --config-from base --attachable --label c=d na
  [ "$(client network inspect -f '{{.Attachable}} {{.Labels}} {{.ConfigFrom.Network}} {{(index .IPAM.Config 0).Subnet}}' na)" = \
    'true map[c:d] base 10.67.0.0/24' ]
  run client run --rm --network na busybox sh -c 'ip -4 addr show eth0; cat /sys/class/net/eth0/mtu'
  [[ $output == *10.67.0.2/24* && $output == *1300* ]]
  fails_with 'in use' client network rm base
  fails_with 'configuration network "nosuch" does not exist' client network create --config-from nosuch nb
  fails_with 'user specified configurations are not supported' client network create --config-from base --subnet 10.68.0.0/24 nb
}

@test "options of an endpoint: sysctls, name, link-local addresses" {
  needs_recent_client
  client network create na; client network create nb
  run client run --rm --network name=na,driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1 \
    busybox cat /proc/sys/net/ipv4/conf/eth0/log_martians
  [ "$output" = 1 ] || { echo "$output"; return 1; }
  fails_with 'unrecognised network interface sysctl' \
    client run --rm --network name=na,driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.eth0.log_martians=1 busybox true
  fails_with 'unrecognised network interface sysctl' \
    client run --rm --network name=na,driver-opt=com.docker.network.endpoint.sysctls=kernel.sysrq=1 busybox true
  run client run --rm --network name=na,driver-opt=com.docker.network.endpoint.ifname=mine0 busybox ls /sys/class/net
  [ "$output" = $'lo\nmine0' ]
  fails_with 'driver option foo' client run --rm --network name=na,driver-opt=foo=bar busybox true
  client run -d --name cc --network na busybox sleep 600
  client network connect --link-local-ip 169.254.9.9 --driver-opt com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1 nb cc
  client exec cc ip -4 addr show eth1 | grep -q 169.254.9.9/16
  [ "$(client exec cc cat /proc/sys/net/ipv4/conf/eth1/log_martians)" = 1 ]
  [ "$(client inspect -f '{{.NetworkSettings.Networks.nb.IPAMConfig.LinkLocalIPs}}' cc)" = '[169.254.9.9]' ]
  fails_with 'invalid link-local IP address' client network connect --link-local-ip 300.1.1.1 na cc
}

@test "an exhausted range, and an address that comes back" {
  client network create --subnet 10.69.0.0/24 --ip-range 10.69.0.8/30 --aux-address one=10.69.0.9 na
  client run -d --name ca --network na busybox sleep 600 # .8 is the gateway's
  client run -d --name cb --network na busybox sleep 600
  [ "$(client inspect -f '{{.NetworkSettings.Networks.na.IPAddress}}' ca cb)" = $'10.69.0.10\n10.69.0.11' ]
  fails_with "no available IPv4 addresses on this network's address pools" client run --rm --network na busybox true
  client run --rm --network na --ip 10.69.0.200 busybox true # not of the range, but of the subnet
  client rm -f ca
  client run --rm --network na busybox ip -4 addr show eth0 | grep -q 10.69.0.10/24
}
