# Who may pass: the administrator's own rules, ports that stay closed, repairs, ranges, and a host without nft.
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

serve() { # NAME OPTIONS…: a web server that knows its name
  local name=$1 i; shift
  client run -d --name "$name" "$@" busybox sh -c "mkdir /www; echo $name >/www/index.html; exec httpd -f -p '[::]:80' -h /www" >/dev/null
  for i in $(seq 50); do client exec "$name" wget -qO- http://127.0.0.1/ >/dev/null 2>&1 && return 0; sleep 0.1; done
  return 1
}

outside() { # another host: we are 10.200.0.1 and fd77::1, it is .2
  NAMESPACE=out$$
  ip netns add "$NAMESPACE"
  ip link add "o$$" type veth peer name eth0 netns "$NAMESPACE"
  ip addr add 10.200.0.1/24 dev "o$$"; ip addr add fd77::1/64 dev "o$$" nodad; ip link set "o$$" up
  ip -n "$NAMESPACE" addr add 10.200.0.2/24 dev eth0; ip -n "$NAMESPACE" addr add fd77::2/64 dev eth0 nodad
  ip -n "$NAMESPACE" link set eth0 up; ip -n "$NAMESPACE" link set lo up
}
from_outside() { ip netns exec "$NAMESPACE" curl -fs --max-time 2 "$@"; }
table() { echo "wherry-$(cat "$ENGINE/bridge")"; }

@test "rules of the administrator come first, and stay when networks come and go" {
  outside
  serve web -p 18080:80
  [ "$(from_outside http://10.200.0.1:18080)" = web ]
  nft add rule inet "$(table)" user ip saddr 10.200.0.2 counter drop
  run from_outside http://10.200.0.1:18080
  [ "$status" -ne 0 ]
  client network create na # the table is loaded again
  run from_outside http://10.200.0.1:18080
  [ "$status" -ne 0 ]
  engine_halt KILL; engine_launch
  run from_outside http://10.200.0.1:18080
  [ "$status" -ne 0 ]
  [ "$(curl -fs http://127.0.0.1:18080)" = web ]
  nft flush chain inet "$(table)" user
  [ "$(from_outside http://10.200.0.1:18080)" = web ]
}

@test "closed ports: nobody from outside, until the set says so" {
  outside
  client network create --ipv6 -o wherry.closed_ports=true na
  client network create -o wherry.closed_ports=1 nb
  serve web --network na -p 18080:80
  serve old --network nb -p 18081:80 # its IPv6 port is carried by a socket
  serve open -p 18082:80
  local url
  for url in http://10.200.0.1:18080 'http://[fd77::1]:18080' http://10.200.0.1:18081 'http://[fd77::1]:18081'; do
    run from_outside --max-time 1 "$url"
    [ "$status" -ne 0 ] || { echo "$url is open"; return 1; }
  done
  [ "$(from_outside http://10.200.0.1:18082)" = open ]
  [ "$(curl -fs http://127.0.0.1:18080)" = web ]
  [ "$(curl -fs 'http://[::1]:18081')" = old ]
  [ "$(client run --rm busybox timeout 5 wget -qO- http://10.200.0.1:18080)" = web ]
  nft add element inet "$(table)" allowed '{ 10.200.0.0/24 . 18080 }'
  nft add element inet "$(table)" allowed6 '{ fd77::2 . 18080-18081 }'
  client network create nc # the table is loaded again
  [ "$(from_outside http://10.200.0.1:18080)" = web ]
  [ "$(from_outside 'http://[fd77::1]:18080')" = web ]
  [ "$(from_outside 'http://[fd77::1]:18081')" = old ]
  run from_outside --max-time 1 http://10.200.0.1:18081
  [ "$status" -ne 0 ]
  nft flush set inet "$(table)" allowed
  run from_outside --max-time 1 http://10.200.0.1:18080
  [ "$status" -ne 0 ]
  # What the port was is forgotten with it.
  nft flush set inet "$(table)" allowed6
  client rm -f web
  serve web -p 18080:80
  [ "$(from_outside http://10.200.0.1:18080)" = web ]
}

@test "closed ports for all networks, but those that say otherwise" {
  outside
  engine_halt TERM; engine_launch --closed-ports
  client network create -o wherry.closed_ports=false na
  serve web -p 18080:80
  serve open --network na -p 18081:80
  run from_outside --max-time 1 http://10.200.0.1:18080
  local closed=$status
  [ "$(from_outside http://10.200.0.1:18081)" = open ]
  engine_halt TERM; engine_launch
  [ "$closed" -ne 0 ]
}

@test "rules and bridges that others removed are made again at the next use" {
  client network create na
  serve web --network na -p 18080:80
  local bridge; bridge=br-$(client network inspect -f '{{slice .Id 0 12}}' na)
  nft flush chain inet "$(table)" forward
  nft flush chain inet "$(table)" translate
  client run --rm --network na busybox true
  [ "$(nft list chain inet "$(table)" forward | grep -c 'oifname @bridges drop')" = 1 ]
  nft flush ruleset
  client run --rm --network na busybox true
  [ "$(curl -fs http://127.0.0.1:18080)" = web ]
  nft list table inet "$(table)" | grep -q 18080
  ip link del "$bridge"
  [ "$(client run --rm --network na busybox timeout 5 wget -qO- http://web/)" = web ]
  [ "$(curl -fs http://127.0.0.1:18080)" = web ]
  [ "$(client exec web timeout 5 wget -qO- "http://$(client network inspect -f '{{(index .IPAM.Config 0).Gateway}}' na):18080/")" = web ]
  # And the restart of the container whose own link was removed.
  local link; link=$(ip -o link show master "$bridge" | sed -n 's/^[0-9]*: \(veth[^@]*\)@.*/\1/p')
  ip link del "$link"
  client restart -t 0 web
  local i; for i in $(seq 50); do [ "$(curl -fs --max-time 2 http://127.0.0.1:18080)" != web ] || return 0; sleep 0.1; done; return 1
}

echo_udp() { # NAME WORD: answers datagrams at port 53 of the container with WORD; sets PID
  nsenter -t "$(client inspect -f '{{.State.Pid}}' "$1")" -n python3 -c '
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 53))
while True:
    data, address = server.recvfrom(100)
    server.sendto(sys.argv[1].encode(), address)' "$2" 3>&- &
  PID=$!
}

@test "a client that goes on sending reaches who has the UDP port now" {
  outside
  client run -d --name ca -p 18053:53/udp busybox sleep 600
  echo_udp ca first; local one=$PID
  # One socket of the client, so that all it sends is one flow.
  ip netns exec "$NAMESPACE" python3 -c '
import os, socket, sys, time
out = open(sys.argv[1], "w", buffering=1)
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(0.2)
client.bind(("", 40000))
last = None
while not os.path.exists(sys.argv[2]):
    try:
        client.sendto(b"x", ("10.200.0.1", 18053))
        word = client.recv(100).decode()
        if word != last: print(word, file=out)
        last = word
        time.sleep(0.05)
    except (TimeoutError, OSError): pass' "$BATS_TEST_TMPDIR/heard" "$BATS_TEST_TMPDIR/stop" 3>&- &
  local sender=$! i
  for i in $(seq 100); do grep -q first "$BATS_TEST_TMPDIR/heard" 2>/dev/null && break; sleep 0.1; done
  kill $one; client rm -f ca
  # Another address than the first had.
  client run -d --name other busybox sleep 600
  client run -d --name cb -p 18053:53/udp busybox sleep 600
  echo_udp cb second; local two=$PID
  for i in $(seq 100); do grep -q second "$BATS_TEST_TMPDIR/heard" && break; sleep 0.1; done
  touch "$BATS_TEST_TMPDIR/stop"; wait $sender
  kill $two
  [ "$(cat "$BATS_TEST_TMPDIR/heard")" = $'first\nsecond' ]
}

@test "a range of thousands is one element, and each port of it is there" {
  outside
  serve web -p 20000-22999:20000-22999 -p 18080:80
  client exec -d web httpd -f -p 20000 -h /www
  client exec -d web httpd -f -p 22999 -h /www
  [ "$(nft list map inet "$(table)" ranges | grep -o '20000-22999' | wc -l)" = 1 ]
  [ "$(nft list map inet "$(table)" published_any | grep -c 2099)" = 0 ]
  local i; for i in $(seq 50); do [ "$(from_outside http://10.200.0.1:22999)" != web ] || break; sleep 0.1; done
  [ "$(from_outside http://10.200.0.1:22999)" = web ]
  [ "$(from_outside http://10.200.0.1:20000)" = web ]
  [ "$(curl -fs 'http://[::1]:20000')" = web ]
  run client run --rm -p 20500:80 busybox true
  [ "$status" -ne 0 ] && [[ $output == *'Bind for 0.0.0.0:20500 failed: port is already allocated'* ]]
  if [ "$CLIENT" = wherry ]; then # one of them goes: the others stay
    client update --publish-rm 20000:20000 web
    run from_outside --max-time 1 http://10.200.0.1:20000
    [ "$status" -ne 0 ]
    [ "$(from_outside http://10.200.0.1:22999)" = web ]
  fi
  client rm -f web
  [ "$(nft list map inet "$(table)" ranges | grep -c 20000)" = 0 ]
  serve web -p 20000:80
  [ "$(from_outside http://10.200.0.1:20000)" = web ]
}

@test "without nft, published ports are carried, and what needs rules is refused" {
  outside
  engine_halt TERM
  mkdir "$BATS_TEST_TMPDIR/bin"
  local program; for program in $(compgen -c | sort -u | grep -v -e '^nft$' -e '[^a-zA-Z0-9._-]'); do
    program=$(type -P "$program") && ln -sf "$program" "$BATS_TEST_TMPDIR/bin/" || true
  done
  echo 0 >/proc/sys/net/ipv4/ip_forward
  PATH=$BATS_TEST_TMPDIR/bin engine_launch
  client network create na
  serve web --network na -p 18080:80
  [ "$(from_outside http://10.200.0.1:18080)" = web ]
  [ "$(from_outside 'http://[fd77::1]:18080')" = web ]
  [ "$(curl -fs http://127.0.0.1:18080)" = web ]
  grep -q 'the nft program (package nftables) is missing' "$ENGINE/log"
  run client network create --internal nb
  [ "$status" -ne 0 ] && [[ $output == *'internal networks need the nft program'* ]]
  client rm -f web; client network rm na
  engine_halt TERM; engine_launch --iptables=false
  serve web -p 18080:80
  [ "$(from_outside http://10.200.0.1:18080)" = web ]
  [ -z "$(nft list tables | grep "$(table)")" ]
  client rm -f web
  engine_halt TERM; engine_launch
}
