# Links of the default bridge: what the container sees of those that it is linked to, and the names that links give.
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
address() { client inspect -f '{{.NetworkSettings.IPAddress}}' "$1"; }
links() { client inspect -f '{{json .HostConfig.Links}}' "$1"; }

@test "what cannot be linked is said at create" {
  client run -d --name db busybox sleep 600
  client run -d --name hosted --network host busybox sleep 600
  fails_with 'could not get container for nosuch: No such container: nosuch' client create --name w0 --link nosuch:a busybox
  fails_with 'could not get container for w0: No such container: w0' client create --name w0 --link w0 busybox
  fails_with 'bad format for links: db:a:b' client create --name w0 --link db:a:b busybox
  fails_with "host type networking can't be used with links" client create --name w0 --link hosted busybox
  fails_with "host type networking can't be used with links" client create --name w0 --network host --link db busybox
  fails_with "container type network can't be used with links" client create --name w0 --network container:db --link db busybox
  [ "$(client ps -aq | wc -l)" = 2 ]
}

@test "environment and /etc/hosts tell of the linked container" {
  local id; id=$(client run -d --name db --hostname dbhost --expose 80 --expose 53/udp -e X=y busybox sleep 600)
  run client run --rm --name web --link db:my-db busybox sh -c 'env; cat /etc/hosts'
  local ip line; ip=$(address db)
  for line in "MY_DB_NAME=/web/my-db" "MY_DB_PORT=udp://$ip:53" "MY_DB_PORT_80_TCP=tcp://$ip:80" "MY_DB_PORT_80_TCP_ADDR=$ip" \
    "MY_DB_PORT_80_TCP_PORT=80" "MY_DB_PORT_80_TCP_PROTO=tcp" "MY_DB_PORT_53_UDP_PROTO=udp" "MY_DB_ENV_X=y" "$ip	my-db dbhost db"; do
    grep -qxF "$line" <<<"$output" || { echo "no $line in $output"; return 1; }
  done
  [[ $output != *MY_DB_ENV_PATH* ]]
  # The name alone is the alias, and the container is reached by it.
  run client run --rm --link db busybox sh -c 'cat /etc/hosts; ping -c 1 -W 5 db'
  [ "$status" = 0 ]
  [[ $output == *"$ip	db dbhost"$'\n'* ]]
}

@test "a row of ports has a start and an end" {
  client run -d --name db --expose 80-82 busybox sleep 600
  run client run --rm --link db:a busybox env
  [[ $output == *"A_PORT_80_TCP_START=tcp://$(address db):80"* && $output == *A_PORT_80_TCP_PORT_END=82* && $output == *A_PORT_81_TCP_PORT=81* ]]
}

@test "a link needs a container of the default bridge that runs" {
  client network create n1
  client create --name db busybox sleep 600
  client run -d --name other --network n1 busybox sleep 600
  client create --name web --link db:a busybox sleep 600
  fails_with 'Cannot link to a non running container: /db AS /web/a' client start web
  fails_with 'Cannot link to /other, as it does not belong to the default network' client run --link other:b busybox true
  client start db
  client start web
  client stop -t 0 db
  fails_with 'Cannot link to a non running container: /db AS /web/a' client exec web true
  client rm db
  [ "$(links web)" = '["/db:/web/a"]' ]
  fails_with 'Cannot link to a non running container: /db AS /web/a' client restart -t 0 web
}

@test "a restart at another address is told" {
  client run -d --name db busybox sleep 600
  client run -d --name web --link db:a busybox sleep 600
  local before; before=$(address db)
  client exec web grep -qw "$before" /etc/hosts
  client exec web sh -c 'echo 1.2.3.4 mine >>/etc/hosts'
  client stop -t 0 db
  client run -d --name taker busybox sleep 600 # it may get the address that has become free
  client run -d --name taker2 busybox sleep 600
  client start db
  local after; after=$(address db)
  run client exec web cat /etc/hosts
  grep -qE "^$after	a " <<<"$output"
  [ "$(grep -c '	a ' <<<"$output")" = 1 ]
  [[ $output == *'1.2.3.4 mine'* ]]
  client exec web env | grep -qx 'A_NAME=/web/a'
}

@test "links are names" {
  local id; id=$(client run -d --name db busybox sleep 600)
  client create --name web --link db:a --link db busybox sleep 600
  [ "$(client inspect -f '{{.Id}}' web/a)" = "$id" ]
  [ "$(client inspect -f '{{.Id}}' /web/db)" = "$id" ]
  fails_with 'web/nosuch' client inspect web/nosuch
  [ "$(client ps -f name=db --format '{{.Names}}')" = db ]
  [ "$(client ps -f name=db --no-trunc --format '{{.Names}}')" = db,web/a,web/db ]
  [ "$(links web)" = '["/db:/web/a","/db:/web/db"]' ]
  client rename web/a data
  client rename web site
  [ "$(links site)" = '["/data:/site/a","/data:/site/db"]' ]
  client stop -t 0 site/a
  client start site/a
}

@test "a link is removed and its container stays" {
  client run -d --name db busybox sleep 600
  client run -d --name web --link db:a --link db:b busybox sleep 600
  fails_with 'Conflict, cannot remove the default link name of the container' client rm --link web
  fails_with 'No such container: web/nosuch' client rm --link web/nosuch
  [ "$(client rm --link web/a)" = web/a ]
  [ "$(links web)" = '["/db:/web/b"]' ]
  [ "$(client inspect -f '{{.State.Running}}' db)" = true ]
  run client exec web cat /etc/hosts
  [[ $output != *"	a "* && $output == *"	b "* ]]
  client rm --link web/b
  [ "$(links web)" = null ]
  client rm -f db
  client restart -t 0 web
}

@test "links outlive the engine" {
  client run -d --name db busybox sleep 600
  client run -d --name web --link db:a busybox sleep 600
  engine_halt TERM
  engine_launch
  [ "$(links web)" = '["/db:/web/a"]' ]
  client restart -t 0 web/a
  client exec web grep -q "^$(address db)	a " /etc/hosts
}

@test "on a network of the user's own a link belongs to the endpoint" {
  client network create n1
  client run -d --name db --network n1 busybox sleep 600
  client create --name web --network n1 --link db:a busybox
  [ "$(links web)" = null ]
  [ "$(client inspect -f '{{json .NetworkSettings.Networks.n1.Links}}' web)" = '["db:a"]' ]
}
