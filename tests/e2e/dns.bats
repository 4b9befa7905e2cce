# Names on networks of the user's own, and the files that tell of them.
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

address() { client inspect -f "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}" "$1"; }

@test "names, aliases and short ids are known, and name.network" {
  client network create n1
  local id; id=$(client run -d --name web --network n1 --network-alias www --hostname hh busybox sleep 600)
  client run -d --name other --network n1 busybox sleep 600
  local name
  for name in web www hh "${id:0:12}" web.n1 WEB; do
    run client exec other nslookup "$name"
    [[ $output == *"$(address web n1)"* ]] || { echo "$name: $output"; return 1; }
  done
  run client exec other nslookup "$(address web n1)"
  [[ $output == *web.n1* ]]
  client rename web renamed
  run client exec other nslookup renamed
  [[ $output == *"$(address renamed n1)"* ]]
}

@test "a name that several have, and one that is not there" {
  client network create n1
  client run -d --name w1 --network n1 --network-alias www busybox sleep 600
  client run -d --name w2 --network n1 --network-alias www busybox sleep 600
  run client exec w1 nslookup www
  [[ $output == *"$(address w1 n1)"* && $output == *"$(address w2 n1)"* ]]
  client rm -f w2
  run client exec w1 nslookup w2
  [ "$status" -ne 0 ]
  client network create n2
  client run -d --name far --network n2 busybox sleep 600
  run client exec w1 nslookup far
  [ "$status" -ne 0 ]
}

@test "what others know is asked of the servers given" {
  cat >"$BATS_TEST_TMPDIR/server.py" <<'PY'
import socket, struct, threading
def answer(query):
    end = query.index(0, 12) + 5
    return query[:2] + b'\x81\x80' + query[4:6] + b'\0\1\0\0\0\0' + query[12:end] + b'\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x01\x02\x03\x04'
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(('127.0.0.53', 53))
tcp = socket.socket(); tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); tcp.bind(('127.0.0.53', 53)); tcp.listen()
def serve_tcp():
    while True:
        connection, _ = tcp.accept()
        data = connection.recv(1000)
        reply = answer(data[2:])
        connection.sendall(struct.pack('>H', len(reply)) + reply); connection.close()
threading.Thread(target=serve_tcp, daemon=True).start()
while True:
    query, address = udp.recvfrom(1000)
    udp.sendto(answer(query), address)
PY
  python3 "$BATS_TEST_TMPDIR/server.py" 3>&- &
  local server=$! i
  client network create n1; client network create --internal n2
  client run -d --name cc --network n1 --dns 127.0.0.53 busybox sleep 600
  for i in $(seq 50); do
    run client exec cc nslookup outside.example
    [[ $output == *1.2.3.4* ]] && break
    sleep 0.1
  done
  [[ $output == *1.2.3.4* ]]
  # Over TCP, and after a restart of the engine.
  engine_halt KILL; engine_launch
  run nsenter -t "$(client inspect -f '{{.State.Pid}}' cc)" -n python3 -c '
import socket, struct
query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\7outside\7example\0\0\1\0\1"
connection = socket.create_connection(("127.0.0.11", 53), 5)
connection.sendall(struct.pack(">H", len(query)) + query)
print(connection.recv(1000)[-4:].hex(), end="")'
  [ "$output" = 01020304 ]
  client run -d --name inner --network n2 --dns 127.0.0.53 busybox sleep 600
  run client exec inner nslookup outside.example
  [[ $output != *1.2.3.4* ]]
  kill $server
}

@test "resolv.conf and hosts" {
  client network create n1
  run client run --rm --network n1 --dns 9.9.9.9 --dns-search example.org --dns-option ndots:2 --add-host aa:1.2.3.4 --hostname hh --domainname dd busybox \
    cat /etc/resolv.conf /etc/hosts
  [[ $output == *$'nameserver 127.0.0.11\nsearch example.org\noptions ndots:2\n'* && $output == *'# ExtServers: [9.9.9.9]'* ]]
  [[ $output == *$'1.2.3.4\taa\n'* && $output == *$'\thh.dd hh'* ]]
  run client run --rm --dns 9.9.9.9 busybox cat /etc/resolv.conf
  [[ $output == *'nameserver 9.9.9.9'* && $output != *127.0.0.11* ]]
}

@test "a container that joins later gets names, too" {
  client network create n1
  client run -d --name cc busybox sleep 600
  client run -d --name web --network n1 busybox sleep 600
  client network connect --alias late n1 cc
  run client exec cc nslookup web
  [[ $output == *"$(address web n1)"* ]]
  run client exec web nslookup late
  [[ $output == *"$(address cc n1)"* ]]
}

@test "links are aliases on a network of the user's own" {
  client network create n1
  client run -d --name db --network n1 busybox sleep 600
  client run -d --name web --network n1 --link db:database busybox sleep 600
  run client exec web nslookup database
  [[ $output == *"$(address db n1)"* ]]
  run client exec db nslookup database
  [ "$status" -ne 0 ]
}

ask() { # CONTAINER ARGUMENTS…: asks 127.0.0.11 in the container's namespace; tests/lib/dns_ask.py says what
  local container=$1; shift
  nsenter -t "$(client inspect -f '{{.State.Pid}}' "$container")" -n python3 "$BATS_TEST_DIRNAME/../lib/dns_ask.py" "$@"
}

@test "names of ours are never asked of others; everything else is, as it was asked" {
  python3 "$BATS_TEST_DIRNAME/../lib/dns_ask.py" serve 127.0.0.54 "$BATS_TEST_TMPDIR/asked" 3>&- &
  local server=$! type i
  client network create --ipv6 --subnet 10.58.0.0/24 --subnet fd58::/64 n1
  client run -d --name web --network n1 --network-alias www --dns 127.0.0.54 busybox sleep 600
  client run -d --name other --network n1 --network-alias www busybox sleep 600
  for i in $(seq 50); do [ "$(ask web up.example A)" != '' ] && break; sleep 0.1; done
  : >"$BATS_TEST_TMPDIR/asked"
  [ "$(ask web www A | sort)" = $'10.58.0.2\n10.58.0.3' ]
  [ "$(ask web www AAAA | sort)" = $'fd58::2\nfd58::3' ]
  [ "$(ask web WEB.n1 A)" = 10.58.0.2 ]
  [ "$(ask web 2.0.58.10.in-addr.arpa PTR)" = web.n1 ]
  [ "$(ask web "$(python3 -c 'import ipaddress; print(ipaddress.ip_address("fd58::3").reverse_pointer)')" PTR)" = other.n1 ]
  for type in MX SRV TXT; do [ "$(ask web www $type)" = 'code 0, nothing' ]; done
  [ "$(ask web 77.0.58.10.in-addr.arpa PTR)" = 'code 3, nothing' ] # an address of ours that nobody has
  [ ! -s "$BATS_TEST_TMPDIR/asked" ] || { cat "$BATS_TEST_TMPDIR/asked"; kill $server; return 1; }
  # Round robin: each comes first.
  [ "$(for i in $(seq 8); do ask web www A | head -n 1; done | sort -u | wc -l)" = 2 ]
  # What is passed on: SRV, large answers over UDP with EDNS0, cut ones without, whole over TCP.
  ask web _http._tcp.example SRV | grep -q '^record 33'
  [ "$(ask web large.example TXT --edns 4096)" = 'record 16 of 2000' ]
  [ "$(ask web large.example TXT)" = truncated ]
  [ "$(ask web large.example TXT --tcp)" = 'record 16 of 2000' ]
  [ "$(ask web 4.3.2.1.in-addr.arpa PTR)" != '' ]
  grep -q '^4.3.2.1.in-addr.arpa 12 udp$' "$BATS_TEST_TMPDIR/asked"
  grep -q '^large.example 16 tcp$' "$BATS_TEST_TMPDIR/asked"
  kill $server
}

@test "many answers: cut over UDP, whole with EDNS0 and over TCP" {
  client network create --subnet 10.59.0.0/24 n1
  local i
  for i in $(seq 36); do client run -d --network n1 --network-alias crowd busybox sleep 600 >/dev/null; done
  client run -d --name asks --network n1 busybox sleep 600
  [ "$(ask asks crowd A)" = truncated ]
  [ "$(ask asks crowd A --edns 1232 | sort -u | wc -l)" = 36 ]
  [ "$(ask asks crowd A --tcp | sort -u | wc -l)" = 36 ]
}
