# Projects: wherry compose, and the same program as the docker client's plugin (CLIENT=wherry or docker).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox
  mkdir -p "$ENGINE/config/cli-plugins"
  ln -s "$PROGRAMS/wherry-compose" "$ENGINE/config/cli-plugins/docker-compose"
}
teardown_file() { engine_stop; }
setup() {
  PROJECT=$BATS_TEST_TMPDIR/proj; mkdir -p "$PROJECT"; cd "$PROJECT"
  unset COMPOSE_FILE COMPOSE_PROJECT_NAME COMPOSE_PROFILES
}
teardown() {
  cd "$PROJECT" && client compose --profile '*' down -v -t 0 --remove-orphans >/dev/null 2>&1 || true
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -fv $ids >/dev/null
}
compose() { client compose "$@"; }
ids() { compose ps -aq | sort; }
eventually() { local try; for try in $(seq 200); do "$@" && return 0; sleep 0.05; done; "$@"; }

@test "a web server, its database and its cache come up in the order of their health" {
  cat >compose.yaml <<'END'
services:
  web:
    image: busybox
    command: sh -c 'cat /data/ready /cache/ready && exec sleep 600'
    depends_on:
      database: {condition: service_healthy}
      cache: {condition: service_completed_successfully}
    volumes: ["data:/data:ro", "cache:/cache:ro"]
  database:
    image: busybox
    command: sh -c 'echo database >/data/ready; exec sleep 600'
    volumes: ["data:/data"]
    healthcheck: {test: ["CMD", "test", "-s", "/data/ready"], interval: 100ms}
  cache:
    image: busybox
    command: sh -c 'echo cache >/cache/ready'
    volumes: ["cache:/cache"]
volumes: {data: , cache: }
END
  run -0 --separate-stderr compose up -d
  [[ $stderr = *"Container proj-database-1  Healthy"* && $stderr = *"Container proj-cache-1  Exited"* ]]
  eventually [ "$(compose logs --no-log-prefix web)" = "$(printf 'database\ncache')" ]
  [ "$(compose ps --format '{{.Service}} {{.State}}')" = "$(printf 'database running\nweb running')" ]
  [ "$(client network ls -q --filter label=com.docker.compose.project=proj | wc -l)" = 1 ]
  # Nothing to do leaves everything as it is.
  before=$(ids)
  run -0 compose up -d
  [ "$(ids)" = "$before" ]
  # A volume survives down, and not down -v.
  compose down -t 0
  [ -z "$(ids)" ]
  [ "$(client volume ls -q --filter label=com.docker.compose.project=proj | sort)" = "$(printf 'proj_cache\nproj_data')" ]
  [ -z "$(client network ls -q --filter label=com.docker.compose.project=proj)" ]
  compose up -d && compose down -v -t 0
  [ -z "$(client volume ls -q --filter label=com.docker.compose.project=proj)" ]
}

@test "only what changed is made anew, and keeps its anonymous volume" {
  cat >compose.yaml <<'END'
services:
  one: {image: busybox, command: sleep 600, volumes: [/anon], environment: {AA: "${VALUE}"}, stop_grace_period: 0s}
  two: {image: busybox, command: sleep 600, stop_grace_period: 0s}
END
  VALUE=first compose up -d
  one=$(compose ps -q one) two=$(compose ps -q two)
  client exec "$one" sh -c 'echo kept >/anon/file'
  VALUE=second compose up -d
  [ "$(compose ps -q one)" != "$one" ]
  [ "$(compose ps -q two)" = "$two" ]
  [ "$(compose exec -T one cat /anon/file)" = kept ]
  [ "$(compose exec -T one sh -c 'echo $AA')" = second ]
  VALUE=second compose up -d -V --force-recreate one
  run ! compose exec -T one cat /anon/file
  VALUE=third compose up -d --no-recreate
  [ "$(compose exec -T one sh -c 'echo $AA')" = second ]
}

@test "what wants to be restarted with a service is" {
  cat >compose.yaml <<'END'
services:
  db: {image: busybox, command: sleep 600, stop_grace_period: 0s, environment: {AA: "${VALUE:-}"}}
  with: {image: busybox, command: sleep 600, stop_grace_period: 0s, depends_on: {db: {condition: service_started, restart: true}}}
  without: {image: busybox, command: sleep 600, stop_grace_period: 0s, depends_on: [db]}
END
  begun() { client inspect -f '{{.State.StartedAt}}' "proj-$1-1"; }
  compose up -d
  with=$(begun with) without=$(begun without) id=$(compose ps -q with)
  VALUE=new compose up -d
  [ "$(compose ps -q with)" = "$id" ] && [ "$(begun with)" != "$with" ] && [ "$(begun without)" = "$without" ]
  with=$(begun with)
  compose restart --no-deps db
  [ "$(begun with)" = "$with" ]
  compose restart db
  [ "$(begun with)" != "$with" ] && [ "$(begun without)" = "$without" ]
}

@test "profiles, scale and orphans" {
  cat >compose.yaml <<'END'
services:
  web: {image: busybox, command: sleep 600, stop_grace_period: 0s}
  debug: {image: busybox, command: sleep 600, profiles: [tools], stop_grace_period: 0s}
END
  compose up -d
  [ "$(compose ps --services)" = web ]
  compose --profile tools up -d
  [ "$(compose --profile tools ps --services)" = "$(printf 'debug\nweb')" ]
  compose up -d --scale web=3
  [ "$(compose ps -q web | wc -l)" = 3 ]
  compose scale web=1
  [ "$(compose ps --format '{{.Name}}' web)" = proj-web-1 ]
  printf 'services:\n  other: {image: busybox, command: sleep 600, stop_grace_period: 0s}\n' >other.yaml
  run -0 --separate-stderr compose -f other.yaml up -d
  [[ $stderr = *"Found orphan containers"*proj-web-1* ]]
  compose -f other.yaml up -d --remove-orphans
  [ "$(client ps --filter label=com.docker.compose.project=proj --format '{{.Names}}')" = proj-other-1 ]
  # Without a file all is found by its labels.
  mkdir -p "$BATS_TEST_TMPDIR/empty" && cd "$BATS_TEST_TMPDIR/empty"
  client compose -p proj down
  [ -z "$(client ps -aq)" ]
}

@test "attached: prefixed lines, and the exit code of a service ends the others" {
  cat >compose.yaml <<'END'
services:
  job: {image: busybox, command: sh -c 'echo working; exit 7'}
  server: {image: busybox, command: sh -c 'trap "exit 0" TERM; while true; do sleep 0.1; done'}
END
  run -7 --separate-stderr compose up --exit-code-from job
  [[ $output = *"job-1     | working"* && $output = *"job-1 exited with code 7"* && $output = *"Aborting on container exit..."* ]]
  [ -z "$(compose ps -q)" ]
  # An interrupt stops what was brought up.
  cat >compose.yaml <<'END'
services:
  server: {image: busybox, command: sh -c 'trap "echo bye; exit 0" TERM; echo up; while true; do sleep 0.1; done'}
END
  WHERRY_HOST=unix://$ENGINE/sock DOCKER_HOST=unix://$ENGINE/sock "$PROGRAMS/wherry-compose" up >out 2>err 3>&- &
  up=$!
  eventually grep -q 'server-1  | up' out
  kill -INT $up
  code=0; wait $up || code=$?
  [ "$code" = 130 ]
  grep -q 'Gracefully stopping' err
  grep -q 'server-1  | bye' out
}

@test "secrets and configs from a file, the environment and the document" {
  echo from-file >secret.txt
  cat >compose.yaml <<'END'
services:
  one:
    image: busybox
    command: sleep 600
    stop_grace_period: 0s
    secrets: [in_file, {source: in_variable, target: renamed, mode: 0400}]
    configs: [{source: inline, target: /etc/inline.conf}]
secrets:
  in_file: {file: ./secret.txt}
  in_variable: {environment: SECRET}
configs:
  inline: {content: "value ${SECRET}"}
END
  export SECRET=hidden
  compose up -d
  [ "$(compose exec -T one cat /run/secrets/in_file /run/secrets/renamed /etc/inline.conf)" = "$(printf 'from-file\nhiddenvalue hidden')" ]
  [ "$(compose exec -T one stat -c %a /run/secrets/renamed)" = 400 ]
}

@test "exec, run, cp, port, top, logs, stop, start and rm speak of services" {
  cat >compose.yaml <<'END'
services:
  web:
    image: busybox
    command: sh -c 'echo hello; exec sleep 600'
    ports: ["127.0.0.1::80"]
    stop_grace_period: 0s
    depends_on: [other]
  other: {image: busybox, command: sleep 600, stop_grace_period: 0s}
END
  compose up -d
  run -3 compose exec -T web sh -c 'exit 3'
  run -4 --separate-stderr compose run --rm -e AA=bb web sh -c 'echo "run $AA"; exit 4' </dev/null
  [ "$output" = 'run bb' ]
  [ "$(client ps -aq | wc -l)" = 2 ]
  echo text >file && compose cp file web:/file && [ "$(compose exec -T web cat /file)" = text ]
  [[ $(compose port web 80) =~ ^127\.0\.0\.1:[0-9]+$ ]]
  [[ $(compose top web) = *"sleep 600"* ]]
  eventually [ "$(compose logs web)" = 'web-1  | hello' ]
  compose pause web && [ "$(compose ps --format '{{.State}}' web)" = paused ] && compose unpause web
  compose stop web
  [ "$(compose ps -q)" = "$(compose ps -q other)" ]
  compose start && [ "$(compose ps -q | wc -l)" = 2 ]
  compose kill web && compose rm -f web
  [ "$(compose ps -aq | wc -l)" = 1 ]
  [[ $(compose ls --format json) = *'"Name":"proj","Status":"running(1)"'* ]]
}

@test "an image is built where it is missing" {
  cat >compose.yaml <<'END'
services:
  made:
    build:
      context: .
      args: {WORD: built}
      dockerfile_inline: |
        FROM busybox
        ARG WORD
        RUN echo $$WORD >/word
    command: cat /word
END
  run -0 --separate-stderr compose up --abort-on-container-exit
  [[ $output = *'made-1  | built'* ]]
  [ -n "$(client images -q proj-made)" ]
  compose down --rmi local
  [ -z "$(client images -q proj-made)" ]
}

@test "what cannot be is said with its line, and what was made before goes with down" {
  printf 'services:\n  one:\n    image: busybox\n    porst: [80]\n' >compose.yaml
  run -1 --separate-stderr compose up -d
  [[ $stderr = *"compose.yaml:4: services.one: Additional property porst is not allowed (did you mean ports?)"* ]]
  cat >compose.yaml <<'END'
services:
  sick:
    image: busybox
    command: sleep 600
    stop_grace_period: 0s
    healthcheck: {test: "false", interval: 50ms, retries: 1}
  needs: {image: busybox, command: sleep 600, depends_on: {sick: {condition: service_healthy}}}
END
  run -1 --separate-stderr compose up -d
  [[ $stderr = *"dependency failed to start: container proj-sick-1 is unhealthy"* ]]
  compose down -t 0
  [ -z "$(client ps -aq)" ]
  printf 'services:\n  one: {image: busybox, networks: [away]}\nnetworks: {away: {external: true}}\n' >compose.yaml
  run -1 --separate-stderr compose up -d
  [[ $stderr = *"network away declared as external, but could not be found"* ]]
  printf 'services:\n  one: {image: busybox, label_file: labels}\n' >compose.yaml; echo a=b >labels
  run -1 --separate-stderr compose up -d
  [[ $stderr = *"services.one.label_file is not supported"* ]]
  [ -z "$(client ps -aq)" ]
  run -1 --separate-stderr compose up -d nothing
  [[ $stderr = *"no such service: nothing"* ]]
  run -1 --separate-stderr compose nonsense
  run -125 --separate-stderr compose up --nonsense
}

@test "help lists the commands, and the client lists compose" {
  [[ $(client --help) = *"compose*"* ]]
  [[ $(compose --help) = *"  up          Create and start containers"* ]]
  [[ $(compose up --help) = *"--force-recreate"* ]]
  [[ $(compose version) = "Wherry Compose version"* ]]
}

@test "docker compose and wherry compose take turns with one project" {
  [ "$CLIENT" = wherry ] || skip 'once is enough'
  real=${DOCKER_COMPOSE:-} # a command that runs docker compose 2 as its makers built it
  [ -n "$real" ] || skip 'DOCKER_COMPOSE is not set'
  cat >compose.yaml <<'END'
services:
  web: {image: busybox, command: sleep 600, stop_grace_period: 0s, depends_on: [db], volumes: ["data:/data"], ports: ["127.0.0.1::80"]}
  db: {image: busybox, command: sleep 600, stop_grace_period: 0s, environment: [AA=b], mem_limit: 64m}
volumes: {data: }
END
  theirs() { DOCKER_HOST=unix://$ENGINE/sock $real "$@"; }
  compose up -d
  before=$(ids)
  theirs up -d
  [ "$(ids)" = "$before" ]
  theirs up -d --scale web=2
  [ "$(compose ps -q web | wc -l)" = 2 ]
  theirs up -d --force-recreate --scale web=2
  before=$(ids)
  compose up -d --scale web=2
  [ "$(ids)" = "$before" ]
  compose stop
  theirs start
  theirs down -v -t 0
  [ -z "$(client ps -aq)$(client volume ls -q --filter label=com.docker.compose.project=proj)" ]
}
