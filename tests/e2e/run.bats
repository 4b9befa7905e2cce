# A container from image to exit code, through both command lines (CLIENT=wherry or docker).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }

@test "run prints what the program printed and ends with its exit code" {
  run -0 client run --rm busybox echo hello
  [ "$output" = hello ]
  run -7 client run --rm busybox sh -c 'exit 7'
}

@test "stdout and stderr stay apart" {
  client run --rm busybox sh -c 'echo out; echo err >&2' >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
  [ "$(cat "$BATS_TEST_TMPDIR/out")" = out ]
  [ "$(cat "$BATS_TEST_TMPDIR/err")" = err ]
}

@test "a signal gives 128 + n" {
  run -143 client run --rm busybox sh -c 'trap "exit 143" TERM; kill -TERM $$'
  run -137 client run --rm busybox sh -c '(sleep 0.2; kill -KILL -1) & exec sleep 20' || true
  run -0 client run -d --name killed busybox sleep 60
  client kill -s KILL killed
  run -0 client wait killed
  [ "$output" = 137 ]
  client rm killed
}

@test "a missing command is 127, one that cannot be executed 126, a daemon error 125" {
  run -127 client run --rm busybox nosuch
  [[ $output == *'exec: "nosuch": executable file not found in $PATH'* ]]
  run -127 client run --rm busybox /bin/nosuch
  [[ $output == *'stat /bin/nosuch: no such file or directory'* ]]
  run -126 client run --rm busybox /etc/passwd
  [[ $output == *'permission denied'* ]]
  run -126 client run --rm busybox /etc
  run -125 client run --rm --user nosuch busybox true
  [[ $output == *'unable to find user nosuch: no matching entries in passwd file'* ]]
  run -125 client run --rm nosuchimage true
  run -125 client run --nosuchflag busybox
  run -0 client ps -aq
  [ -z "$output" ]
}

@test "stdin reaches the program and its end too" {
  run -0 bash -c "printf 'a\nb\n' | { source tests/lib/engine.bash; ENGINE=$ENGINE client run --rm -i busybox wc -l; }"
  [ "${output// /}" = 2 ]
}

@test "environment, working directory, host name, user and groups" {
  run -0 client run --rm -e A=1 -e B busybox sh -c 'echo $A-$B-$HOME'
  [ "$output" = 1--/root ]
  run -0 client run --rm -w /tmp/new busybox pwd
  [ "$output" = /tmp/new ]
  run -0 client run --rm -h boat busybox sh -c 'hostname; cat /etc/hostname; grep boat /etc/hosts | wc -l'
  [ "${lines[0]}" = boat ] && [ "${lines[1]}" = boat ] && [ "${lines[2]}" = 1 ]
  run -0 client run --rm -u nobody --group-add wheel busybox id
  [ "$output" = 'uid=65534(nobody) gid=65534(nogroup) groups=10(wheel),65534(nogroup)' ] ||
    [ "$output" = 'uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup),10(wheel)' ]
  run -0 client run --rm -u 1234:5678 busybox id -u
  [ "$output" = 1234 ]
}

@test "entrypoint and command" {
  run -0 client run --rm --entrypoint echo busybox a b
  [ "$output" = 'a b' ]
  run -0 client run --rm --entrypoint /bin/sh busybox -c 'echo x'
  [ "$output" = x ]
}

@test "the process is pid 1 of its own namespaces and sees its own root" {
  run -0 client run --rm busybox sh -c 'echo $$; ls /proc | grep -c "^[0-9]"'
  [ "${lines[0]}" = 1 ]
  [ "${lines[1]}" -le 3 ]
  run -0 client run --rm busybox sh -c 'ls /; cat /proc/1/comm'
  [[ $output != *boot* ]]
  for namespace in pid mnt ipc uts net; do
    run -0 client run --rm busybox readlink /proc/self/ns/$namespace
    [ "$output" != "$(readlink /proc/self/ns/$namespace)" ]
  done
}

@test "what must not be reached is not reached" {
  run -0 client run --rm busybox sh -c 'cat /proc/timer_list /proc/keys /proc/kcore 2>/dev/null | wc -c'
  [ "${lines[0]}" = 0 ]
  run ! client run --rm busybox sh -c 'echo 1 >/proc/sys/kernel/panic'
  run ! client run --rm busybox mount -t tmpfs none /tmp
  run ! client run --rm busybox sh -c 'echo c >/proc/sysrq-trigger'
  run -0 client run --rm busybox grep -E 'CapEff|Seccomp:|NoNewPrivs' /proc/self/status
  [[ $output == *'00000000a80425fb'* && $output == *$'Seccomp:\t2'* && $output == *$'NoNewPrivs:\t0'* ]]
  run -0 client run --rm --cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges busybox grep -E 'CapEff|NoNewPrivs' /proc/self/status
  [[ $output == *'0000000000000001'* && $output == *$'NoNewPrivs:\t1'* ]]
}

@test "limits on memory, cpu and processes" {
  run -0 client run --rm --memory 64m --pids-limit 50 --cpus 0.5 busybox sh -c \
    'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max'
  [ "${lines[0]}" = 67108864 ] && [ "${lines[1]}" = 50 ] && [[ ${lines[2]} == 50000* ]]
  run -137 client run --name hungry --memory 16m busybox sh -c 'x=a; while true; do x=$x$x; done'
  run -0 client inspect --format '{{.State.OOMKilled}}' hungry
  [ "$output" = true ]
  client rm hungry
  run client run --rm --memory 1m busybox true
  [ "$status" = 125 ]
  [[ $output == *'Minimum memory limit allowed is 6MB'* ]]
}

@test "bind mounts and tmpfs" {
  mkdir -p "$BATS_TEST_TMPDIR/m"; echo data >"$BATS_TEST_TMPDIR/m/f"
  run -0 client run --rm -v "$BATS_TEST_TMPDIR/m:/m" busybox sh -c 'cat /m/f; echo new >/m/g'
  [ "$output" = data ]
  [ "$(cat "$BATS_TEST_TMPDIR/m/g")" = new ]
  run ! client run --rm -v "$BATS_TEST_TMPDIR/m:/m:ro" busybox touch /m/h
  run -0 client run --rm --mount type=bind,source="$BATS_TEST_TMPDIR/m",target=/a/b/c,readonly busybox cat /a/b/c/f
  [ "$output" = data ]
  run -125 client run --rm --mount type=bind,source=/no/such,target=/a busybox true
  [[ $output == *'bind source path does not exist: /no/such'* ]]
  run -0 client run --rm --tmpfs /t:size=1m busybox sh -c 'grep " /t " /proc/mounts'
  [[ $output == *'size=1024k'* ]]
  run ! client run --rm --read-only busybox touch /x
}

@test "networks: none, host and the bridge" {
  run -0 client run --rm --net none busybox ip -o addr
  [[ $output != *eth0* && $output == *127.0.0.1* ]]
  run -0 client run --rm --net host busybox readlink /proc/self/ns/net
  [ "$output" = "$(readlink /proc/self/ns/net)" ]
  client run -d --name server busybox sh -c 'mkdir /w; echo served >/w/index.html; exec httpd -f -p 80 -h /w'
  address=$(client inspect --format '{{.NetworkSettings.IPAddress}}' server)
  run -0 client run --rm busybox wget -qO- "http://$address/"
  [ "$output" = served ]
  run -0 curl -s "http://$address/"
  [ "$output" = served ]
  run -0 client run --rm busybox sh -c 'ip route | grep default; cat /etc/resolv.conf'
  [[ $output == *default*eth0* ]]
  client rm -f server
}

@test "a terminal: size, echo and the end of input" {
  needs_recent_client
  run -0 script -qec "$(declare -f client); ENGINE=$ENGINE CLIENT=$CLIENT PROGRAMS=$PROGRAMS; stty rows 33 cols 77; client run --rm -it busybox stty size" /dev/null </dev/null
  [[ $output == *'33 77'* ]]
  run -1 client run --rm -it busybox true </dev/null
  [[ $output == *'the input device is not a TTY'* ]]
}

@test "detached: ps, logs, exec, stop" {
  run -0 client run -d --name det busybox sh -c 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.1; done'
  [ "${#output}" = 64 ]
  run -0 client ps --format '{{.Names}} {{.Image}} {{.State}}'
  [ "$output" = 'det busybox running' ]
  run -0 client exec det echo inside
  [ "$output" = inside ]
  run -5 client exec det sh -c 'exit 5'
  run -126 client exec det nosuch
  run -0 bash -c "echo piped | { source tests/lib/engine.bash; ENGINE=$ENGINE client exec -i det cat; }"
  [ "$output" = piped ]
  client stop det
  run -0 client logs det
  [ "$output" = $'up\nbye' ]
  run -0 client inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.Name}}' det
  [ "$output" = 'exited 3 /det' ]
  client start det
  run -0 client inspect --format '{{.State.Running}}' det
  [ "$output" = true ]
  run -1 client rm det
  [[ $output == *'container is running: stop the container before removing or force remove'* ]] || [[ $output == *'cannot remove container'* ]]
  client rm -f det
  run -1 client logs det
  [[ $output == *'No such container: det'* ]]
}

@test "names and short ids" {
  run -0 client create --name twin busybox true
  id=$output
  run -1 bash -c "source tests/lib/engine.bash; ENGINE=$ENGINE client create --name twin busybox true 2>&1 | grep -q 'already in use by container \"$id\"' && exit 1"
  run -0 client inspect --format '{{.Id}}' "${id:0:6}"
  [ "$output" = "$id" ]
  run -0 client rename twin other
  run -0 client rm other
  run -1 client inspect other
  run -125 client run --name '-bad' busybox true
  [[ $output == *'Invalid container name (-bad)'* || $output == *'unknown'* ]]
}

@test "attach: two clients see the output, the last word counts" {
  client run -d -i --name talk busybox sh -c 'read line; echo "got $line"; exit 4'
  ENGINE=$ENGINE client attach --no-stdin talk >"$BATS_TEST_TMPDIR/watcher" 3>&- &
  watcher=$!
  sleep 0.3
  run -4 bash -c "echo hi | { source tests/lib/engine.bash; ENGINE=$ENGINE client attach talk; }"
  [ "$output" = 'got hi' ]
  wait $watcher || true
  [ "$(cat "$BATS_TEST_TMPDIR/watcher")" = 'got hi' ]
  client rm talk
}

@test "nothing is lost of a large output" {
  run -0 bash -c "source tests/lib/engine.bash; ENGINE=$ENGINE client run --rm busybox sh -c 'yes 0123456789abcde | head -n 400000' | md5sum"
  [ "$output" = "$(yes 0123456789abcde | head -n 400000 | md5sum)" ]
}

@test "why a container could not start is told once" {
  run -127 client run --rm busybox nosuch
  [[ $output != *'Error waiting for container'* ]]
}

@test "options that exclude each other are refused" {
  needs_recent_client
  for options in '--uts host -h x:hostname and the UTS mode' '--net container:x -h x:hostname and the network mode' \
    '--net container:x --dns 1.1.1.1:dns and the network mode' '--net container:x --add-host a=1.1.1.1:custom host-to-IP mapping and the network mode' \
    '--net container:x --expose 80:port exposing and the container type network mode'; do
    run -125 client run --rm ${options%:*} busybox true
    [[ $output == *"conflicting options: ${options##*:}"* ]]
  done
  client create --name own --net container:own busybox true
  run -1 client start own
  [[ $output == *'cannot join own network'* ]]
  client rm own
}

@test "addresses are for networks of one's own: all that is wrong with one is told" {
  needs_recent_client
  run -125 client run --rm --ip nonsense busybox true
  [[ $output == *$'invalid config for network bridge: invalid endpoint settings:\n* user specified IP address is supported on user defined networks only\n* invalid IPv4 address: nonsense'* ]]
  run -125 client run --rm --net container:x --ip 1.2.3.4 busybox true
  [[ $output == *$'invalid config for network container:x: invalid endpoint settings:\nuser specified IP address'* ]]
}

@test "memory nodes that are not there, sysctls of a namespace that is the host's, a folder that is no device" {
  run -125 client run --rm --cpuset-mems 999 busybox true
  [[ $output == *'Requested memory nodes are not available - requested 999, available: 0'* ]]
  run -125 client run --rm --ipc host --sysctl kernel.shmmax=1000000 busybox true
  [[ $output == *'sysctl "kernel.shmmax" is not allowed in the hosts ipc namespace'* ]]
  run -125 client run --rm --device /proc/self/task:/x busybox true
  [[ $output == *'error gathering device information while adding custom device "/proc/self/task": not a device node'* ]]
}

@test "no signal is ignored, and without an IPv6 network there is no IPv6 address" {
  run -0 client run --rm busybox grep SigIgn /proc/self/status
  [ "$output" = $'SigIgn:\t0000000000000000' ]
  run -0 client run --rm busybox sh -c 'ip -6 addr show dev eth0 | wc -l; ip -6 addr show dev lo | grep -c ::1'
  [ "$output" = $'0\n1' ]
}

@test "--uts host: the host's name, but the container's in HOSTNAME" {
  run -0 client run --rm --uts host busybox sh -c 'hostname; echo ${#HOSTNAME}'
  [ "$output" = "$(hostname)"$'\n12' ]
}
