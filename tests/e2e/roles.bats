# Sockets with a role: what role=read may see, and that it changes nothing.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox && engine_halt TERM
  engine_launch -H "unix://$ENGINE/ro,role=read,group=0"
  client run -d --name web --label tier=front -e SECRET=hunter2 --log-opt env=SECRET busybox sh -c 'echo served; exec sleep 600'
  client volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=1m,uid=77 store
  client commit --change 'ENV TOKEN=hunter3' web web-image
}
teardown_file() { engine_stop; }

reader() { # the client under test at the socket with role=read
  if [ "$CLIENT" = docker ]; then
    DOCKER_HOST=unix://$ENGINE/ro DOCKER_CONFIG=$ENGINE/config DOCKER_BUILDKIT=0 "${DOCKER:-docker}" "$@"
  else
    WHERRY_HOST=unix://$ENGINE/ro DOCKER_HOST=unix://$ENGINE/ro DOCKER_CONFIG=$ENGINE/config "$PROGRAMS/wherry" "$@"
  fi
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
  run ! refused unix:///run/x.sock,label=team=a; [[ $output == *'label= is not supported by this version of Wherry'* ]]
  run ! refused unix:///run/x.sock,roles=read; [[ $output == *"unknown option 'roles=read'"* ]]
  run ! refused tcp://127.0.0.1:2375,group=adm; [[ $output == *'group= is for unix sockets'* ]]
  run -0 refused unix:///run/x.sock,role=read
}
