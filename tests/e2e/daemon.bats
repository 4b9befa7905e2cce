# wherryd's own life: flags and daemon.json, reload, the log, shutdown.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox && engine_halt TERM
  mkdir "$ENGINE/etc"; echo '{}' >"$ENGINE/etc/daemon.json"
  engine_launch --config-file "$ENGINE/etc/daemon.json"
}
teardown_file() { engine_stop; }

validate() { "$PROGRAMS/wherryd" --validate "$@" 2>&1; }
validate_file() { # JSON [FLAGS]
  echo "$1" >"$BATS_TEST_TMPDIR/daemon.json"; shift
  validate --config-file "$BATS_TEST_TMPDIR/daemon.json" "$@"
}
info() { client info --format "$1"; }

@test "what dockerd refuses, in its words" {
  run ! validate --default-ipc-mode foo; [ "${lines[0]}" = 'default IPC mode setting (foo) is invalid; use "shareable" or "private"' ]
  run ! validate --default-cgroupns-mode foo; [ "${lines[0]}" = 'default cgroup namespace mode (foo) is invalid; use "host" or "private"' ]
  run ! validate --log-format foo; [ "${lines[0]}" = 'invalid log format: foo' ]
  run ! validate -l foo; [ "${lines[0]}" = 'invalid logging level: foo' ]
  run ! validate --max-concurrent-downloads=-1; [ "${lines[0]}" = 'invalid max concurrent downloads: -1' ]
  run ! validate --label a=b --label a=c; [[ ${lines[0]} == *'conflict labels for a=c and a=b'* ]]
  run ! validate --label foo; [[ $output == *'bad attribute format: foo'* ]]
  run ! validate --default-runtime foo; [[ $output == *"specified default runtime 'foo' does not exist"* ]]
  run ! validate --default-ulimit foo=1; [[ $output == *'invalid ulimit type: foo'* ]]
  run ! validate_file '{"foo":1}'; [[ $output == *"the following directives don't match any configuration option: foo"* ]]
  run ! validate_file '{"debug":true}' -D
  [[ $output == *'the following directives are specified both as a flag and in the configuration file: debug: (from flag: true, from file: true)'* ]]
  run ! validate --config-file /nosuch; [[ $output == *'open /nosuch: no such file or directory'* ]]
}

@test "what this version does not do is refused, never ignored" {
  run ! validate --userns-remap default; [[ $output == *'--userns-remap is not supported by this version of Wherry'* ]]
  run ! validate_file '{"selinux-enabled":true}'; [[ $output == *'the directive selinux-enabled is not supported by this version of Wherry'* ]]
  run ! validate --exec-opt native.cgroupdriver=systemd; [[ $output == *'use cgroupfs'* ]]
  run ! validate -s btrfs; [[ $output == *'driver not supported: btrfs'* ]]
}

@test "a daemon.json with much in it" {
  run -0 validate_file '{"debug":true,"labels":["a=b"],"log-opts":{"max-size":"10m"},"default-ulimits":{"nofile":{"Name":"nofile","Hard":64000,"Soft":640}},"exec-opts":["native.cgroupdriver=cgroupfs"],"storage-driver":"overlay2","live-restore":true,"default-shm-size":"32M","log-level":"warn"}'
  [ "$output" = 'configuration OK' ]
}

@test "SIGHUP reloads debug, labels and live-restore; a bad file keeps the old" {
  pid=$(cat "$ENGINE/started")
  [ "$(info '{{.Debug}} {{.Labels}}')" = 'false []' ]
  echo '{"debug":true,"labels":["zone=a"],"live-restore":false}' >"$ENGINE/etc/daemon.json"
  kill -HUP "$pid"
  for _ in $(seq 100); do [ "$(info '{{.Debug}}')" != true ] || break; sleep 0.1; done
  [ "$(info '{{.Debug}} {{.Labels}} {{.LiveRestoreEnabled}}')" = 'true [zone=a] false' ]
  run -0 client events --since 1 --until "$(($(date +%s) + 1))" --filter type=daemon --format '{{.Action}} {{.Actor.Attributes.debug}} {{.Actor.Attributes.labels}}'
  [ "$output" = 'reload true ["zone=a"]' ]
  echo '{"debug":7}' >"$ENGINE/etc/daemon.json"
  kill -HUP "$pid"
  for _ in $(seq 100); do ! grep -q 'Error reconfiguring the daemon' "$ENGINE/log" || break; sleep 0.1; done
  grep -q 'Error reconfiguring the daemon: unable to configure' "$ENGINE/log"
  sed -i '/Error reconfiguring/d' "$ENGINE/log"
  [ "$(info '{{.Debug}} {{.Labels}}')" = 'true [zone=a]' ]
  echo '{}' >"$ENGINE/etc/daemon.json"; kill -HUP "$pid"
  for _ in $(seq 100); do [ "$(info '{{.Debug}}')" != false ] || break; sleep 0.1; done
}

@test "defaults of new containers: ulimits, init, no-new-privileges, ipc, seccomp" {
  engine_halt TERM
  engine_launch --default-ulimit nofile=123:456 --init --no-new-privileges --default-ipc-mode shareable --seccomp-profile unconfined \
    --label zone=b --log-format json --experimental --http-proxy http://me:secret@proxy:1
  run -0 client run --rm busybox sh -c 'ulimit -n; grep -c init /proc/1/cmdline; grep NoNewPrivs: /proc/self/status; grep Seccomp: /proc/self/status'
  [[ $output == $'123\n1\nNoNewPrivs:\t1\nSeccomp:\t0' ]]
  run -0 client run --rm --ulimit nofile=77 busybox sh -c 'ulimit -n'; [ "$output" = 77 ]
  [ "$(info '{{.Labels}} {{.ExperimentalBuild}} {{.HTTPProxy}}')" = '[zone=b] true http://xxxxx:xxxxx@proxy:1' ]
  [[ $(info '{{.SecurityOptions}}') == *'name=seccomp,profile=unconfined'*'name=no-new-privileges'* ]]
  grep -q '^{"level":"info","msg":"Starting up","time":"' "$ENGINE/log"
  engine_halt TERM; engine_launch
}

@test "live-restore=false stops the containers; SIGINT and SIGTERM end with 0" {
  engine_halt TERM; engine_launch --live-restore=false
  client run -d --name stops --stop-timeout 1 busybox sleep 600
  pid=$(client inspect -f '{{.State.Pid}}' stops)
  engine_halt INT
  run ! kill -0 "$pid"
  engine_launch
  [ "$(client inspect -f '{{.State.Running}}' stops)" = false ]
  client rm stops
}

@test "what does not end is not waited for longer than the shutdown timeout" {
  engine_halt TERM; engine_launch --live-restore=false --shutdown-timeout 0
  client run -d --name deaf --stop-timeout 0 busybox sleep 600
  shim=$(awk '/^PPid:/ {print $2}' "/proc/$(client inspect -f '{{.State.Pid}}' deaf)/status")
  kill -STOP "$shim"
  engine_halt TERM
  grep -q 'Containers did not stop within the shutdown timeout' "$ENGINE/log"
  sed -i '/Containers did not stop/d' "$ENGINE/log"
  kill -CONT "$shim"
  engine_launch
  [ "$(client inspect -f '{{.State.Running}}' deaf)" = true ]
  client rm -f deaf
}

@test "a stale pid file is no obstacle; a second engine is" {
  run ! "$PROGRAMS/wherryd" -H "unix://$ENGINE/sock2" --data-root "$ENGINE/data" --exec-root "$ENGINE/run2" --pidfile "$ENGINE/pid2"
  [[ $output == *'another wherryd uses the data root'* ]]
  engine_halt KILL; [ -s "$ENGINE/pid" ]; engine_launch
}
