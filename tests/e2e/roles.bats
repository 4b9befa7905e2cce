# Sockets with a role: what role=read may see, and that it changes nothing.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox && engine_halt TERM
  engine_launch -H "unix://$ENGINE/ro,role=read,group=0" -H "unix://$ENGINE/team,label=team=a" \
    -H "unix://$ENGINE/team-ro,label=team,role=read"
  client run -d --name web --label tier=front -e SECRET=hunter2 --log-opt env=SECRET busybox sh -c 'echo served; exec sleep 600'
  client volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=1m,uid=77 store
  client commit --change 'ENV TOKEN=hunter3' web web-image
}
teardown_file() { engine_stop; }
teardown() { client rm -f mine theirs >/dev/null 2>&1 || true; }

reader() { # the client under test at the socket with role=read
  if [ "$CLIENT" = docker ]; then
    DOCKER_HOST=unix://$ENGINE/ro DOCKER_CONFIG=$ENGINE/config DOCKER_BUILDKIT=0 "${DOCKER:-docker}" "$@"
  else
    WHERRY_HOST=unix://$ENGINE/ro DOCKER_HOST=unix://$ENGINE/ro DOCKER_CONFIG=$ENGINE/config "$PROGRAMS/wherry" "$@"
  fi
}
member() ( ENGINE_SOCKET=team; at_socket "$@" )
watcher() ( ENGINE_SOCKET=team-ro; at_socket "$@" )
at_socket() {
  if [ "$CLIENT" = docker ]; then
    DOCKER_HOST=unix://$ENGINE/$ENGINE_SOCKET DOCKER_CONFIG=$ENGINE/config DOCKER_BUILDKIT=0 "${DOCKER:-docker}" "$@"
  else
    WHERRY_HOST=unix://$ENGINE/$ENGINE_SOCKET DOCKER_HOST=unix://$ENGINE/$ENGINE_SOCKET DOCKER_CONFIG=$ENGINE/config \
      "$PROGRAMS/wherry" "$@"
  fi
}
team() { # STATUS CURL-ARGUMENT...: what the socket of label=team=a answers with
  local wanted=$1 status; shift
  status=$(curl -s -o "$BATS_TEST_TMPDIR/answer" -w '%{http_code}' --unix-socket "$ENGINE/team" "$@")
  [ "$status" = "$wanted" ] || { echo "$status: $*"; cat "$BATS_TEST_TMPDIR/answer"; return 1; }
}
ask() { curl -s --unix-socket "$ENGINE/ro" "$@"; }
denied() { # METHOD ROUTE: what the output of the last run says
  [[ $output == *"the role \"read\" of this socket does not allow $1 $2"* ]] || { echo "$output"; return 1; }
}

@test "role=read sees lists, inspect, logs, top, stats, diff, events, df, info and version" {
  [ "$(reader ps --format '{{.Names}} {{.Labels}}')" = 'web tier=front' ]
  [ "$(reader inspect -f '{{.State.Running}} {{.Config.Labels.tier}}' web)" = 'true front' ]
  [ "$(reader logs web)" = served ]
  run -0 reader top web; [[ $output == *'sleep 600'* ]]
  run -0 reader top web aux; [[ $output == *'sleep 600'* ]]
  run -0 reader stats --no-stream --format '{{.Name}}' web; [ "$output" = web ]
  run -0 reader diff web
  run -0 reader events --since 1 --until "$(date +%s)" --filter event=start --format '{{.Action}} {{.Actor.Attributes.name}}'
  [ "$output" = 'start web' ]
  run -0 reader system df -v; [[ $output == *web* ]]
  [ "$(reader info --format '{{.ContainersRunning}}')" = 1 ]
  run -0 reader version --format '{{.Server.Os}}'; [ "$output" = linux ]
  run -0 reader images --format '{{.Repository}}'; [[ $output == *busybox* ]]
  run -0 reader network ls; [[ $output == *bridge* ]]
  run -0 reader network inspect bridge; [[ $output == *web* ]]
  run -0 reader volume ls -q; [ "$output" = store ]
}

@test "wait is allowed: it only looks" {
  client run -d --name short busybox sleep 600
  reader wait short >"$BATS_TEST_TMPDIR/code" 3>&- &
  local waiter=$!
  client kill -s KILL short
  wait "$waiter"
  [ "$(cat "$BATS_TEST_TMPDIR/code")" = 137 ]
  client rm short
}

@test "values of environment variables are left out, names stay" {
  [ "$(client inspect -f '{{json .Config.Env}}' web | grep -c 'SECRET=hunter2')" = 1 ]
  run -0 reader inspect -f '{{json .Config.Env}}' web
  [[ $output == *'"SECRET"'* ]]
  run -0 reader image inspect -f '{{json .Config.Env}}' web-image
  [[ $output == *'"TOKEN"'* ]]
  # Nowhere in an answer about them, in no version of the API.
  local path version
  for version in /v1.24 /v1.44 ''; do
    for path in containers/web/json images/web-image/json images/web-image/history containers/json images/json \
      'containers/web/top' 'containers/web/logs?stdout=1' volumes/store volumes; do
      run -0 ask "http://x$version/$path"
      [[ $output != *hunter* && $output != *uid=77* && $output != *'"message"'* ]] || { echo "$version/$path: $output"; return 1; }
    done
  done
  run -0 ask 'http://x/system/df'; [[ $output == *store* && $output != *uid=77* ]]
  run ! reader top web axe; [[ $output == *'ps options with an "e"'* ]]
  run ! reader logs --details web; [[ $output == *'the details of logs'* ]]
  [[ $(client logs --details web) == *'SECRET=hunter2 served'* ]]
}

@test "what changes something, runs something or hands out files is 403 and names the role" {
  run ! reader run --rm busybox true; denied POST /containers/create
  run ! reader exec web true; denied POST '/containers/{id}/exec'
  run ! reader attach --no-stdin web; [[ $output == *"/containers/{id}/attach"* || $output == *"received 403"* ]]
  run ! reader cp web:/etc/passwd "$BATS_TEST_TMPDIR/stolen"; [[ $output == *'/containers/{id}/archive'* ]]
  [ ! -e "$BATS_TEST_TMPDIR/stolen" ]
  run ! reader export -o "$BATS_TEST_TMPDIR/stolen.tar" web; denied GET '/containers/{id}/export'
  run ! reader save -o "$BATS_TEST_TMPDIR/image.tar" busybox; [[ $output == *'/images/{name}/get'* || $output == *'GET /images/get'* ]]
  run ! reader kill web; denied POST '/containers/{id}/kill'
  run ! reader stop web; denied POST '/containers/{id}/stop'
  run ! reader rename web other; denied POST '/containers/{id}/rename'
  run ! reader rm -f web; denied DELETE '/containers/{id}'
  run ! reader rmi busybox; denied DELETE '/images/{name}'
  run ! reader tag busybox other; denied POST '/images/{name}/tag'
  run ! reader volume create new; denied POST /volumes/create
  run ! reader volume rm store; denied DELETE '/volumes/{name}'
  run ! reader network create new; denied POST /networks/create
  run ! reader search busybox; denied GET /images/search
  run ! reader container prune -f; denied POST /containers/prune
  [ "$(client ps -a --format '{{.Names}} {{.State}}')" = 'web running' ]
  [ "$(client volume ls -q)" = store ]
}

@test "no other spelling of a request gets past the role" {
  local request
  while read -r request; do
    run -0 ask -o /dev/null -w '%{http_code}' $request
    [ "$output" = 403 ] || { echo "$request: $output"; return 1; }
  done <<-'END'
	-X POST http://x/v1.24/containers/web/kill
	-X POST http://x/containers/web%2Fkill
	-X POST http://x/containers/%77eb/k%69ll
	-X GET http://x/containers/web/archive?path=/etc/passwd
	-I http://x/containers/web/archive?path=/etc/passwd
	http://x/containers/web/export
	http://x/images/get?names=busybox
	http://x/images/busybox/get
	http://x/distribution/busybox/json
	http://x/containers/web/top?ps_args=%61x%65
	-X POST -H Connection:Upgrade -H Upgrade:tcp http://x/containers/web/attach?stream=1&stdin=1
	-X POST -H X-HTTP-Method-Override:GET http://x/containers/web/stop
	END
  [ "$(client inspect -f '{{.State.Running}}' web)" = true ]
}

@test "the full socket is as it was; the listener's options are checked" {
  [ "$(client exec web sh -c 'echo $SECRET')" = hunter2 ]
  [ "$(stat -c '%a %g' "$ENGINE/ro")" = '660 0' ]
  refused() { "$PROGRAMS/wherryd" --validate -H "$1"; }
  run ! refused unix:///run/x.sock,role=admin; [[ $output == *"unknown role 'admin', it must be read or full"* ]]
  run ! refused unix:///run/x.sock,label=; [[ $output == *'label= needs a key'* ]]
  run ! refused unix:///run/x.sock,label=image=a; [[ $output == *"events have an attribute of the name of the label 'image=a'"* ]]
  run -0 refused unix:///run/x.sock,label=team=a,role=read
  run ! refused unix:///run/x.sock,roles=read; [[ $output == *"unknown option 'roles=read'"* ]]
  run ! refused tcp://127.0.0.1:2375,group=adm; [[ $output == *'group= is for unix sockets'* ]]
  run -0 refused unix:///run/x.sock,role=read
}

@test "label= sees its containers, and does with them what a container's owner does" {
  client run -d --name mine --label team=a -e PLACE=here busybox sh -c 'echo said; exec sleep 600'
  client run -d --name theirs --label team=b busybox sleep 600
  [ "$(member ps -a --format '{{.Names}}')" = mine ]
  [ "$(member ps -a --filter label=team=b --format '{{.Names}}')" = '' ]
  [ "$(member ps -a --filter name=theirs --format '{{.Names}}')" = '' ]
  [ "$(member inspect -f '{{.Name}}' mine)" = /mine ]
  [ "$(member logs mine)" = said ]
  [ "$(member exec mine sh -c 'echo $PLACE')" = here ]
  [[ $(member top mine) == *'sleep 600'* ]]
  [ "$(member stats --no-stream --format '{{.Name}}' mine)" = mine ]
  echo content >"$BATS_TEST_TMPDIR/file"
  member cp "$BATS_TEST_TMPDIR/file" mine:/file
  member cp mine:/file "$BATS_TEST_TMPDIR/back"
  cmp "$BATS_TEST_TMPDIR/file" "$BATS_TEST_TMPDIR/back"
  [ "$(member diff mine)" = 'A /file' ]
  member pause mine; member unpause mine; member restart -t 0 mine
  member stop -t 0 mine; member start mine
  [ "$(member images -q)" = "$(client images -q)" ]
  # By every prefix of the id, too.
  local id; id=$(client inspect -f '{{.Id}}' mine)
  team 200 "http://x/containers/${id:0:12}/json"
  # With role=read and any team's containers.
  [ "$(watcher ps --format '{{.Names}}' | sort | tr '\n' ' ')" = 'mine theirs ' ]
  [[ $(watcher inspect -f '{{json .Config.Env}}' mine) == *'"PLACE"'* ]]
  run ! watcher stop mine; [[ $output == *'the role "read" of this socket does not allow'* ]]
  run ! watcher container inspect web; [[ $output == *'No such container: web'* ]]
  member rm -f mine; client rm -f theirs
}

@test "label= knows of no other container, whatever it is asked" {
  client run -d --name mine --label team=a busybox sleep 600
  client run -d --name theirs --label team=b busybox sleep 600
  local id exec; id=$(client inspect -f '{{.Id}}' theirs)
  exec=$(curl -s --unix-socket "$ENGINE/sock" -H 'Content-Type: application/json' -d '{"Cmd": ["sleep", "9"]}' \
    http://x/containers/theirs/exec | tr -d '{}"\n' | cut -d: -f2)
  local path
  for path in json logs?stdout=1 top stats?stream=0 changes export archive?path=/etc; do
    team 404 "http://x/containers/theirs/$path"
    grep -q 'No such container: theirs' "$BATS_TEST_TMPDIR/answer"
  done
  for path in start stop restart kill pause unpause resize?h=1\&w=1 attach?stream=1 wait; do
    team 404 -X POST "http://x/containers/theirs/$path"
    team 404 -X POST "http://x/v1.24/containers/$id/$path"
  done
  team 404 -X POST -H 'Content-Type: application/json' -d '{"Cmd": ["true"]}' http://x/containers/theirs/exec
  team 404 -X DELETE 'http://x/containers/theirs?force=1'
  team 404 -X PUT --data-binary @/dev/null 'http://x/containers/theirs/archive?path=/'
  team 404 -X POST -H 'Content-Type: application/json' -d '{}' "http://x/exec/$exec/start"
  team 404 "http://x/exec/$exec/json"
  team 404 -G --data-urlencode 'filters={"before":["theirs"]}' http://x/containers/json
  team 404 -G --data-urlencode 'filters={"since":{"theirs":true}}' http://x/containers/json
  team 200 -G --data-urlencode 'filters={"label":{"team=b":true}}' 'http://x/containers/json?all=1'
  [ "$(cat "$BATS_TEST_TMPDIR/answer")" = '[]' ]
  [ "$(client inspect -f '{{.State.Running}}' theirs)" = true ]
  # Prune takes its own alone.
  client stop -t 0 theirs; member stop -t 0 mine
  member container prune -f
  [ "$(client ps -a --format '{{.Names}}' | sort | tr '\n' ' ')" = 'theirs web ' ]
  client rm -f theirs
}

@test "label= makes nothing and cannot widen what it has: 403 names the label" {
  client run -d --name mine --label team=a busybox sleep 600
  run ! member run -d --label team=a -v /:/host busybox true
  [[ $output == *'this socket is for the containers with the label "team=a" and does not allow POST /containers/create'* ]]
  run ! member exec --privileged mine true
  [[ $output == *'does not allow a privileged exec'* ]]
  team 403 -X POST -H 'Content-Type: application/json' -d '{"MountAdd": []}' http://x/containers/mine/update
  team 403 -X POST 'http://x/containers/mine/rename?name=other'
  team 403 -X DELETE 'http://x/containers/mine?link=1'
  team 403 -X POST -H 'Content-Type: application/json' -d '{}' 'http://x/commit?container=mine'
  team 403 http://x/info
  team 403 http://x/system/df
  team 403 http://x/networks
  team 403 http://x/volumes
  team 403 -X POST 'http://x/images/create?fromImage=busybox'
  team 403 -X DELETE http://x/images/busybox
  team 403 http://x/images/busybox/get
  team 403 -X POST http://x/networks/bridge/connect
  client rm -f mine
}

@test "label= is told of its containers' events alone" {
  local since; since=$(date +%s.%N)
  client run -d --name mine --label team=a busybox sleep 600
  client run -d --name theirs --label team=b busybox sleep 600
  client rm -f mine theirs
  run -0 member events --since "$since" --until "$(date +%s.%N)" --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}'
  [[ $output == *'container create mine'*'container start mine'*'container destroy mine'* ]]
  [[ $output != *theirs* && $output != *network* ]]
  run -0 member events --since "$since" --until "$(date +%s.%N)" --filter type=network
  [ "$output" = '' ]
  run -0 member events --since "$since" --until "$(date +%s.%N)" --filter label=team=b
  [ "$output" = '' ]
}
