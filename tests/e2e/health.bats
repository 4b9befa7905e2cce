# Health checks: states, log, events, limits, pauses and restarts of the engine (CLIENT=wherry or docker).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }
setup() { SINCE=$(date +%s.%N); }
teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
}

health() { client inspect -f '{{.State.Health.Status}}' "$1"; }
becomes() { # CONTAINER STATE
  local try
  for try in $(seq 200); do
    [ "$(health "$1")" = "$2" ] && return 0
    sleep 0.1
  done
  client inspect -f '{{json .State}}' "$1"
  return 1
}

@test "starting, unhealthy, healthy" {
  client run -d --name checked --health-cmd 'test -e /ok' --health-interval 100ms --health-retries 2 --health-start-period 1h --health-start-interval 100ms busybox sleep 600
  [ "$(health checked)" = starting ]
  [[ "$(client ps --format '{{.Status}}')" == *'(health: starting)' ]]
  client exec checked touch /ok
  becomes checked healthy
  [[ "$(client ps --format '{{.Status}}')" == 'Up '*' (healthy)' ]]
  [ "$(client ps -q --filter health=healthy | wc -l)" = 1 ]
  [ "$(client ps -q --filter health=none | wc -l)" = 0 ]
  client exec checked rm /ok
  becomes checked unhealthy
  [ "$(client inspect -f '{{gt .State.Health.FailingStreak 1}}' checked)" = true ]
  for try in $(seq 100); do
    [ "$(client inspect -f '{{len .State.Health.Log}}' checked)" = 5 ] && break
    sleep 0.1
  done
  [ "$(client inspect -f '{{len .State.Health.Log}}' checked)" = 5 ]
  run -0 client events --since "$SINCE" --until "$(date +%s.%N)" --filter event=health_status --format '{{.Action}}'
  [ "$output" = "$(printf 'health_status: healthy\nhealth_status: unhealthy')" ]
}

@test "a check is told of as an exec" {
  client run -d --name told --health-cmd 'exit 3' --health-interval 100ms --health-retries 1 busybox sleep 600
  becomes told unhealthy
  # The state is told of a moment before the event.
  for try in $(seq 100); do
    client events --since "$SINCE" --until "$(date +%s.%N)" --filter event=health_status --format '{{.Action}}' | grep -q unhealthy && break
    sleep 0.1
  done
  run -0 client events --since "$SINCE" --until "$(date +%s.%N)" --filter event=exec_create --filter event=exec_start --filter event=exec_die --filter event=health_status --format '{{.Action}}'
  [ "$(head -n 4 <<<"$output")" = "$(printf '%s\n' 'exec_create: /bin/sh -c exit 3' 'exec_start: /bin/sh -c exit 3' exec_die 'health_status: unhealthy')" ] ||
    [ "$(head -n 3 <<<"$output")" = "$(printf '%s\n' 'exec_create: /bin/sh -c exit 3' 'exec_start: /bin/sh -c exit 3' 'health_status: unhealthy')" ]
  run -0 client inspect -f '{{(index .State.Health.Log 0).ExitCode}}' told
  [ "$output" = 3 ]
}

@test "a check that takes too long is killed and says so" {
  client run -d --name slow --health-cmd 'echo begun; exec sleep 31415' --health-interval 100ms --health-timeout 500ms --health-retries 1 busybox sleep 600
  becomes slow unhealthy
  run -0 client inspect -f '{{(index .State.Health.Log 0).ExitCode}} {{(index .State.Health.Log 0).Output}}' slow
  [ "$output" = '-1 Health check exceeded timeout (500ms): begun' ]
  # No check outlives its time: there is never more than the one that runs.
  [ "$(pgrep -c -x -f 'sleep 31415')" -le 1 ]
}

@test "of the output four kibibytes are kept" {
  client run -d --name talks --health-cmd 'yes | head -c 3000000; exit 1' --health-interval 100ms --health-retries 1 busybox sleep 600
  becomes talks unhealthy
  run -0 client inspect -f '{{len (index .State.Health.Log 0).Output}}' talks
  [ "$output" = 4099 ]
}

@test "what the image says, what the request adds, and what it takes away" {
  tar -C / -c bin/true 2>/dev/null | client import -c 'HEALTHCHECK --interval=3s --retries=7 CMD test -e /x' - checked-image >/dev/null
  client create --name inherits checked-image /bin/sh
  client create --name changes --health-interval 9s checked-image /bin/sh
  client create --name refuses --no-healthcheck checked-image /bin/sh
  [ "$(client inspect -f '{{json .Config.Healthcheck}}' inherits)" = '{"Test":["CMD-SHELL","test -e /x"],"Interval":3000000000,"Retries":7}' ]
  [ "$(client inspect -f '{{json .Config.Healthcheck}}' changes)" = '{"Test":["CMD-SHELL","test -e /x"],"Interval":9000000000,"Retries":7}' ]
  [ "$(client inspect -f '{{json .Config.Healthcheck.Test}}' refuses)" = '["NONE"]' ]
  [ "$(client inspect -f '{{json .State.Health}}' inherits)" = null ]
  run ! client create --health-cmd true --health-interval 100us busybox
  [[ $output == *'Interval in Healthcheck cannot be less than 1ms'* ]]
}

@test "a pause holds the checks, and an end makes them unhealthy" {
  client run -d --name held --health-cmd true --health-interval 100ms busybox sleep 600
  becomes held healthy
  client pause held
  [ "$(health held)" = unhealthy ]
  client unpause held
  becomes held healthy
  client stop -t 0 held
  [ "$(health held)" = unhealthy ]
  client start held
  run -0 health held
  [[ $output = starting || $output = healthy ]]
}

@test "checks go on with the next engine, and what is known of them stays" {
  client run -d --name goes-on --health-cmd 'test -e /ok' --health-interval 200ms --health-retries 1 busybox sleep 600
  becomes goes-on unhealthy
  engine_halt KILL
  engine_launch
  [ "$(health goes-on)" = unhealthy ]
  client exec goes-on touch /ok
  becomes goes-on healthy
}

@test "the label has an unhealthy container started again" {
  client run -d --name again --label wherry.restart-unhealthy=2 --health-cmd 'test -e /ok' --health-interval 100ms --health-retries 1 --stop-timeout 0 busybox sleep 600
  for try in $(seq 200); do
    [ "$(client inspect -f '{{.RestartCount}}' again)" -ge 1 ] && break
    sleep 0.1
  done
  [ "$(client inspect -f '{{.RestartCount}}' again)" -ge 1 ]
  run ! client create --label wherry.restart-unhealthy=often busybox
  [[ $output == *'invalid value "often" of the label wherry.restart-unhealthy'* ]]
}
