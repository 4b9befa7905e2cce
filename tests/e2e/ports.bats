# Published ports.
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
  ip netns del "$NAMESPACE" 2>/dev/null || true
}

serve() { # NAME OPTIONS…: a web server that knows its name
  local name=$1; shift
  client run -d --name "$name" "$@" busybox sh -c "mkdir /www; echo $name >/www/index.html; exec httpd -f -p 80 -h /www" >/dev/null
  local i
  for i in $(seq 50); do client exec "$name" wget -qO- http://127.0.0.1/ >/dev/null 2>&1 && return 0; sleep 0.1; done
  return 1
}

outside() { # another host: a network namespace with a link to ours. Sets NAMESPACE; we are 10.200.0.1, it is 10.200.0.2
  NAMESPACE=out$$
  ip netns add "$NAMESPACE"
  ip link add "o$$" type veth peer name eth0 netns "$NAMESPACE"
  ip addr add 10.200.0.1/24 dev "o$$"; ip link set "o$$" up
  ip -n "$NAMESPACE" addr add 10.200.0.2/24 dev eth0; ip -n "$NAMESPACE" link set eth0 up; ip -n "$NAMESPACE" link set lo up
}

@test "from the host, by every way" {
  serve web -p 18080:80
  [ "$(curl -fs http://127.0.0.1:18080)" = web ]
  [ "$(curl -fs "http://[::1]:18080")" = web ]
  [ "$(curl -fs "http://$(client network inspect -f '{{(index .IPAM.Config 0).Gateway}}' bridge):18080")" = web ]
  [ "$(client port web)" = $'80/tcp -> 0.0.0.0:18080\n80/tcp -> [::]:18080' ]
  [ "$(client port web 80)" = $'0.0.0.0:18080\n[::]:18080' ]
  [ "$(client ps --format '{{.Ports}}')" = '0.0.0.0:18080->80/tcp, [::]:18080->80/tcp' ]
  client stop -t 0 web
  run curl -fs --max-time 2 http://127.0.0.1:18080
  [ "$status" -ne 0 ]
  client start web
  local i; for i in $(seq 50); do [ "$(curl -fs http://127.0.0.1:18080)" != web ] || return 0; sleep 0.1; done; return 1
}

@test "from other hosts, with their own address" {
  outside
  serve web -p 18080:80
  [ "$(ip netns exec "$NAMESPACE" curl -fs --max-time 20 http://10.200.0.1:18080)" = web ]
  client exec web sh -c 'mkdir /www/cgi-bin; printf "#!/bin/sh\necho; echo \$REMOTE_ADDR\n" >/www/cgi-bin/who; chmod +x /www/cgi-bin/who'
  run ip netns exec "$NAMESPACE" curl -fs --max-time 20 http://10.200.0.1:18080/cgi-bin/who
  [[ $output == *10.200.0.2* ]]
  # What was not published stays closed, even to who knows the way.
  local address; address=$(client inspect -f '{{.NetworkSettings.IPAddress}}' web)
  ip -n "$NAMESPACE" route add default via 10.200.0.1
  run ip netns exec "$NAMESPACE" curl -fs --max-time 1 "http://$address/"
  [ "$status" -ne 0 ]
}

@test "containers reach the outside, and with the host's address" {
  outside
  (cd "$BATS_TEST_TMPDIR"; echo far >index.html; exec ip netns exec "$NAMESPACE" busybox httpd -p 10.200.0.2:80) 3>&-
  run client run --rm busybox timeout 5 wget -qO- http://10.200.0.2/
  ip netns pids "$NAMESPACE" | xargs -r kill
  [ "$output" = far ]
}

@test "from other containers, of the same network and of another" {
  client network create n
  serve web -p 18080:80
  local host; host=$(client network inspect -f '{{(index .IPAM.Config 0).Gateway}}' bridge)
  [ "$(client exec web timeout 5 wget -qO- "http://$host:18080/")" = web ] # hairpin
  [ "$(client run --rm busybox timeout 5 wget -qO- "http://$host:18080/")" = web ]
  [ "$(client run --rm --network n busybox timeout 5 wget -qO- "http://$host:18080/")" = web ]
}

@test "a binding to one address is reached there alone" {
  outside
  serve web -p 127.0.0.1:18080:80
  [ "$(curl -fs http://127.0.0.1:18080)" = web ]
  run ip netns exec "$NAMESPACE" curl -fs --max-time 1 http://10.200.0.1:18080
  [ "$status" -ne 0 ]
  ip -n "$NAMESPACE" route add 127.0.0.2/32 via 10.200.0.1 2>/dev/null || true
  [ "$(client port web)" = '80/tcp -> 127.0.0.1:18080' ]
}

@test "udp" {
  client run -d --name echo -p 18053:53/udp busybox sleep 600
  nsenter -t "$(client inspect -f '{{.State.Pid}}' echo)" -n python3 -c '
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 53))
while True:
    data, address = server.recvfrom(100)
    server.sendto(data, address)' 3>&- &
  local pid=$! i answer
  for i in $(seq 50); do
    for host in 127.0.0.1 ::1; do
      answer=$(exec 9<>"/dev/udp/$host/18053"; echo hello >&9; timeout 1 head -n 1 <&9) || true
      [ "$answer" = hello ] || { sleep 0.1; continue 2; }
    done
    kill $pid
    return 0
  done
  kill $pid
  return 1
}

@test "ranges, ports of the host's choice, -P and EXPOSE" {
  client run -d --name ca -p 80 -p 18100-18110:81 -p 18200-18201:90-91 busybox sleep 600
  [ "$(client port ca 81)" = $'0.0.0.0:18100\n[::]:18100' ]
  [ "$(client port ca 91/tcp)" = $'0.0.0.0:18201\n[::]:18201' ]
  client port ca 80 | grep -q '^0.0.0.0:[0-9][0-9]*$'
  client run -d --name cb -p 18100-18110:81 busybox sleep 600
  [ "$(client port cb 81)" = $'0.0.0.0:18101\n[::]:18101' ]
  client run -d --name cc -P --expose 70-71 --expose 60/udp busybox sleep 600
  [ "$(client port cc | wc -l)" = 6 ]
  [ "$(client inspect -f '{{json .HostConfig.PortBindings}}' cc)" = '{}' ]
  [ "$(client ps -q --filter publish=18101)" = "$(client ps -q --filter name=cb)" ]
  [ "$(client ps -q --filter expose=60/udp)" = "$(client ps -q --filter name=cc)" ]
  client run -d --name cd --expose 99 busybox sleep 600
  [ "$(client ps --filter name=cd --format '{{.Ports}}')" = 99/tcp ]
}

@test "a port that is taken" {
  client run -d --name ca -p 18080:80 busybox sleep 600
  run client run -d --name cb -p 18080:80 busybox sleep 600
  [ "$status" = 125 ]
  [[ $output == *'driver failed programming external connectivity on endpoint cb ('*'): Bind for 0.0.0.0:18080 failed: port is already allocated'* ]]
  [ "$(client inspect -f '{{.State.Status}} {{.State.ExitCode}}' cb)" = 'created 128' ]
  client rm -f ca
  client start cb # and nothing of the failure is left
  busybox nc -l -p 18081 -e cat 3>&- & local pid=$!
  local i; for i in $(seq 50); do busybox netstat -ltn | grep -q ':18081 ' && break; sleep 0.1; done
  run client run -d --name cc -p 127.0.0.1:18081:80 busybox sleep 600
  kill $pid
  [[ $output == *'listen tcp4 127.0.0.1:18081: bind: address already in use'* ]]
  run client run --rm -p 10.99.99.99:18082:80 busybox true
  [[ $output == *'listen tcp4 10.99.99.99:18082: bind: cannot assign requested address'* ]]
}

@test "the rules do not grow with the ports, and survive being flushed" {
  serve sa -p 18080:80
  local before; before=$(nft list ruleset | grep -c dnat)
  serve sb -p 18081:80 -p 18082-18182:18082-18182
  [ "$(nft list ruleset | grep -c dnat)" = "$before" ]
  [ "$(nft list ruleset | grep -c '^table')" = 1 ]
  nft flush ruleset
  serve sc -p 18083:80 || serve sc2 -p 18190:80
  [ "$(curl -fs http://127.0.0.1:18080)" = sa ]
}

@test "ports come and go while the container runs" {
  [ "$CLIENT" = wherry ] || skip "docker has no such flags"
  serve web -p 18080:80
  client update --publish-add 18081:80 --publish-rm 18080:80 web
  [ "$(curl -fs http://127.0.0.1:18081)" = web ]
  run curl -fs --max-time 2 http://127.0.0.1:18080
  [ "$status" -ne 0 ]
  run client update --publish-rm 18080:80 web
  [ "$status" -ne 0 ] && [[ $output == *'port 80/tcp is not published at 18080'* ]]
  run client update --publish-add 18081:80 web
  [ "$status" -ne 0 ] && [[ $output == *'port is already allocated'* ]]
  client restart -t 0 web
  [ "$(client port web)" = $'80/tcp -> 0.0.0.0:18081\n80/tcp -> [::]:18081' ]
}

@test "sctp, where the kernel has it" {
  python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)' 2>/dev/null || {
    run client run --rm -p 18080:80/sctp busybox true
    [ "$status" -ne 0 ] && [[ $output == *'protocol not supported'* ]]
    return
  }
  outside
  client run -d --name echo -p 18054:54/sctp busybox sleep 600
  nsenter -t "$(client inspect -f '{{.State.Pid}}' echo)" -n python3 -c '
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
server.bind(("0.0.0.0", 54)); server.listen()
while True:
    connection, address = server.accept()
    connection.sendall(b"over sctp from " + address[0].encode()); connection.close()' 3>&- &
  local pid=$! i answer=''
  for i in $(seq 50); do
    answer=$(ip netns exec "$NAMESPACE" python3 -c '
import socket
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
client.settimeout(2); client.connect(("10.200.0.1", 18054)); print(client.recv(100).decode())' 2>/dev/null) && break
    sleep 0.1
  done
  kill $pid
  [ "$answer" = 'over sctp from 10.200.0.2' ]
}
