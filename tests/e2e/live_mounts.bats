# Mounts that come and go while a container lives: wherry's own flags of update, and the API's fields for them.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  [ "$CLIENT" = wherry ] || return 0
  engine_start && image_busybox
}
teardown_file() { [ "$CLIENT" != wherry ] || engine_stop; }
setup() {
  [ "$CLIENT" = wherry ] || skip 'docker has no such flags'
  mkdir -p "$BATS_TEST_TMPDIR/source/sub"
  echo hello >"$BATS_TEST_TMPDIR/source/file"
}
teardown() {
  [ "$CLIENT" = wherry ] || return 0
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -fv $ids >/dev/null
}

box() { client run -d --name box "$@" busybox sleep 600 >/dev/null; }
mounts() { client inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}};{{end}}' box; }
asked() { client inspect -f '{{range .HostConfig.Mounts}}{{.Type}} {{.Target}};{{end}}' box; }

@test "a folder of the host comes into a running container, and goes again" {
  box
  run -0 client update --mount-add "type=bind,source=$BATS_TEST_TMPDIR/source,target=/data/in,readonly" box
  [ "$output" = box ]
  [ "$(client exec box cat /data/in/file)" = hello ]
  run client exec box touch /data/in/new
  [[ $output == *'Read-only file system'* ]]
  [ "$(mounts)" = 'bind /data/in false;' ]
  [ "$(asked)" = 'bind /data/in;' ]
  client update --mount-rm /data/in/ box
  run ! client exec box cat /data/in/file
  [ "$(mounts)$(asked)" = '' ]
  [ "$(client exec box grep -c ' /data/in ' /proc/mounts)" = 0 ]
}

@test "what was added is there after a restart of the container and of the engine, and can go then" {
  box
  client update --mount-add "type=bind,source=$BATS_TEST_TMPDIR/source,target=/in" \
    --mount-add type=tmpfs,target=/tm,tmpfs-size=1m --mount-add type=volume,source=live-kept,target=/vol box
  client exec box sh -c 'echo kept >/vol/file'
  engine_halt KILL && engine_launch
  [ "$(client exec box cat /in/file)" = hello ]
  [ "$(mounts)" = 'bind /in true;tmpfs /tm true;volume /vol true;' ]
  run ! client volume rm live-kept
  [[ $output == *'volume is in use'* ]]
  client restart -t 0 box
  [ "$(client exec box cat /in/file /vol/file)" = $'hello\nkept' ]
  [ "$(client exec box df /tm | awk 'END {print $2}')" = 1024 ]
  engine_halt TERM && engine_launch
  client update --mount-rm /in --mount-rm /tm --mount-rm /vol box
  [ "$(client exec box grep -c -e ' /in ' -e ' /tm ' -e ' /vol ' /proc/mounts)" = 0 ]
  [ "$(mounts)" = '' ]
  client volume rm live-kept
}

@test "a container that does not run, or is paused, takes mounts as well" {
  client create --name box busybox sleep 600
  client update --mount-add "type=bind,source=$BATS_TEST_TMPDIR/source,target=/in" box
  client start box
  [ "$(client exec box cat /in/file)" = hello ]
  client pause box
  client update --mount-add type=tmpfs,target=/tm --mount-rm /in box
  client unpause box
  [ "$(client exec box grep -c -e ' /in ' /proc/mounts)" = 0 ]
  client exec box grep ' /tm tmpfs ' /proc/mounts
  client stop -t 0 box
  client update --mount-rm /tm box
  client start box
  [ "$(client exec box grep -c -e ' /in ' -e ' /tm ' /proc/mounts)" = 0 ]
}

@test "a volume is made, filled from the image, counted and let go" {
  box
  client update --mount-add type=volume,source=live-etc,target=/etc/inner --mount-add type=volume,source=live-bin,target=/root box
  client update --mount-add type=volume,target=/anonymous box
  [ "$(client volume ls -q | grep -c live-)" = 2 ]
  [ "$(client system df -v --format '{{range .Volumes}}{{if eq .Name "live-etc"}}{{.Links}}{{end}}{{end}}')" = 1 ]
  client update --mount-rm /etc/inner --mount-rm /root --mount-rm /anonymous box
  [ "$(client system df -v --format '{{range .Volumes}}{{if eq .Name "live-etc"}}{{.Links}}{{end}}{{end}}')" = 0 ]
  # An anonymous volume is never removed by this: its data stays.
  [ "$(client volume ls -q | grep -vc live-)" = 1 ]
  client volume rm $(client volume ls -q)
  box2=$(client run -d -v live-img:/bin2 busybox sleep 600)
  client update --mount-add type=volume,source=live-img,target=/other "$box2"
  client exec "$box2" sh -c 'echo one >/bin2/f; cat /other/f' | grep one
}

@test "a volume with options is mounted for it, and unmounted with its last mount" {
  client volume create -o type=tmpfs -o device=tmpfs -o o=size=2m live-opt
  box
  client update --mount-add type=volume,source=live-opt,target=/opt box
  [ "$(client exec box df /opt | awk 'END {print $2}')" = 2048 ]
  grep -q "$ENGINE/data/volumes/live-opt/_data" /proc/self/mountinfo
  client update --mount-rm /opt box
  run ! grep -q "$ENGINE/data/volumes/live-opt/_data" /proc/self/mountinfo
  client volume rm live-opt
}

@test "mounts of the start can go, too, also those of -v and --tmpfs" {
  box -v "$BATS_TEST_TMPDIR/source:/in" --tmpfs /tm --mount "type=bind,source=$BATS_TEST_TMPDIR/source/file,target=/one"
  client update --mount-rm /in --mount-rm /tm --mount-rm /one box
  [ "$(client exec box grep -c -e ' /in ' -e ' /tm ' -e ' /one ' /proc/mounts)" = 0 ]
  [ "$(client inspect -f '{{len .HostConfig.Binds}} {{len .HostConfig.Tmpfs}} {{len .Mounts}}' box)" = '0 0 0' ]
  client restart -t 0 box
  [ "$(client exec box grep -c -e ' /in ' -e ' /tm ' -e ' /one ' /proc/mounts)" = 0 ]
}

@test "a mount is exchanged in one step, or nothing happens" {
  mkdir "$BATS_TEST_TMPDIR/second"; echo second >"$BATS_TEST_TMPDIR/second/file"
  box -v "$BATS_TEST_TMPDIR/source:/in"
  client update --mount-rm /in --mount-add "type=bind,source=$BATS_TEST_TMPDIR/second,target=/in" box
  [ "$(client exec box cat /in/file)" = second ]
  # The second addition cannot be made: the first, and the removal, are undone.
  client exec box touch /file
  run ! client update --mount-rm /in --mount-add "type=bind,source=$BATS_TEST_TMPDIR/source,target=/new" \
    --mount-add "type=bind,source=$BATS_TEST_TMPDIR/source,target=/file" box
  [[ $output == *'not a directory'* ]]
  [ "$(client exec box cat /in/file)" = second ]
  [ "$(client exec box grep -c ' /new ' /proc/mounts)" = 0 ]
  [ "$(mounts)" = 'bind /in true;' ]
  [ "$(asked)" = 'bind /in;' ]
}

@test "a link in the container leads a mount nowhere out of it" {
  mkdir "$BATS_TEST_TMPDIR/victim"
  box
  # A link to what is not there leads nowhere at all.
  client exec box ln -s "$BATS_TEST_TMPDIR/victim" /dangling
  run ! client update --mount-add type=tmpfs,target=/dangling/tm box
  [ -z "$(ls "$BATS_TEST_TMPDIR/victim")" ]
  client exec box mkdir -p "$BATS_TEST_TMPDIR/victim"
  client exec box ln -s ../../../../../../../..$BATS_TEST_TMPDIR/victim /way
  client exec box ln -s "$BATS_TEST_TMPDIR/victim" /absolute
  client update --mount-add "type=bind,source=$BATS_TEST_TMPDIR/source,target=/way/sub" \
    --mount-add type=tmpfs,target=/absolute/tm box
  [ -z "$(ls "$BATS_TEST_TMPDIR/victim")" ]
  run ! grep -q "$BATS_TEST_TMPDIR/victim" /proc/self/mountinfo
  [ "$(client exec box cat "$BATS_TEST_TMPDIR/victim/sub/file")" = hello ]
  # Bent since: what the link leads to now is not what was mounted.
  client exec box sh -c 'rm /way && mkdir -p /etc/hosts.d && ln -s /etc /way && mount | grep -q /etc/hosts'
  run ! client update --mount-rm /way/sub box
  [[ $output == *'nothing is mounted at /way/sub any more'* ]]
  client exec box sh -c 'rm /absolute && ln -s /proc /absolute'
  run ! client update --mount-rm /absolute/tm box
  client exec box sh -c "rm /way && ln -s $BATS_TEST_TMPDIR/victim /way; rm /absolute; ln -s $BATS_TEST_TMPDIR/victim /absolute"
  client update --mount-rm /way/sub --mount-rm /absolute/tm box
  [ "$(mounts)" = '' ]
}

@test "a bent link uncovers nothing that was covered" {
  box
  client exec box sh -c 'mkdir -p /a && ln -s /a /way'
  client update --mount-add type=tmpfs,target=/way/acpi --mount-add "type=bind,source=/dev/null,target=/way/kcore" box
  client exec box sh -c 'rm /way && ln -s /proc /way'
  for place in /way/acpi /way/kcore; do
    client exec box test -e "$place" || continue
    run ! client update --mount-rm "$place" box
  done
  before=$(client exec box grep -c /proc/ /proc/mounts)
  client exec box sh -c 'rm /way && ln -s /a /way'
  client update --mount-rm /way/acpi --mount-rm /way/kcore box
  [ "$(client exec box grep -c /proc/ /proc/mounts)" = "$before" ]
}

@test "what cannot be mounted is refused, with the reason, and changes nothing" {
  box --tmpfs /tm/below
  refuse() { # TEXT ARGUMENT...
    local text=$1; shift
    run ! client update "$@" box
    [[ $output == *"$text"* ]] || { echo "$output"; false; }
  }
  refuse 'bind source path does not exist: /no/such' --mount-add type=bind,source=/no/such,target=/in
  refuse 'Duplicate mount point: /tm/below' --mount-add type=tmpfs,target=/tm/below
  refuse 'Duplicate mount point: /in' --mount-add type=tmpfs,target=/in --mount-add type=tmpfs,target=/in
  refuse 'something is mounted at /etc/hosts already' --mount-add type=bind,source=/etc/hostname,target=/etc/hosts
  refuse 'would hide the one at /etc/' --mount-add type=tmpfs,target=/etc
  refuse 'would hide the one at /tm/below' --mount-add type=tmpfs,target=/tm
  refuse 'because it is inside /proc' --mount-add type=tmpfs,target=/proc/sys/kernel
  refuse "destination can't be '/'" --mount-add type=tmpfs,target=/
  refuse 'mount path must be absolute' --mount-add type=tmpfs,target=relative
  refuse 'invalid value for tmpfs-size' --mount-add type=tmpfs,target=/x,tmpfs-size=many
  refuse 'the container has no mount at /nothing' --mount-rm /nothing
  refuse 'the container has no mount at /etc/hosts' --mount-rm /etc/hosts
  refuse 'mount type unknown' --mount-add type=npipe,source=x,target=/x
  [ "$(mounts)$(asked)" = '' ]
  run ! client update --mount-add type=tmpfs,target=/x nosuch
  [[ $output == *'No such container: nosuch'* ]]
  [ "$(curl -s --unix-socket "$ENGINE/sock" -H 'Content-Type: application/json' -o /dev/null -w '%{http_code}' \
    -d '{"MountRemove": ["/nothing"]}' http://x/v1.50/containers/box/update)" = 404 ]
  [ "$(curl -s --unix-socket "$ENGINE/sock" -H 'Content-Type: application/json' -o /dev/null -w '%{http_code}' \
    -d '{"MountAdd": [{"Type": "tmpfs"}]}' http://x/v1.50/containers/box/update)" = 400 ]
}

@test "a read-only root has no place for a mount that is not there" {
  box --read-only
  run ! client update --mount-add "type=bind,source=$BATS_TEST_TMPDIR/source,target=/new" box
  [[ $output == *'read-only file system'* ]]
  client update --mount-add "type=bind,source=$BATS_TEST_TMPDIR/source,target=/root" box
  [ "$(client exec box cat /root/file)" = hello ]
}

@test "a mount that is in use, or carries another, stays" {
  box -v "$BATS_TEST_TMPDIR/source:/in"
  client exec -d box sh -c 'cd /in && touch /ready && exec sleep 600'
  until client exec box test -e /ready; do :; done
  run ! client update --mount-rm /in box
  [[ $output == *'the mount at /in is in use by a process of the container'* ]]
  [ "$(client exec box cat /in/file)" = hello ]
  [ "$(mounts)" = 'bind /in true;' ]
  client restart -t 0 box
  client update --mount-add type=tmpfs,target=/in/sub box
  run ! client update --mount-rm /in box
  [[ $output == *'/in/sub is mounted below /in and has to go first'* ]]
  client update --mount-rm /in --mount-rm /in/sub box
  [ "$(mounts)" = '' ]
}

@test "mounts below a bind's source come along, and go with it unless they are in use" {
  mount -t tmpfs none "$BATS_TEST_TMPDIR/source/sub"
  echo below >"$BATS_TEST_TMPDIR/source/sub/file"
  box
  client update --mount-add "type=bind,source=$BATS_TEST_TMPDIR/source,target=/in" box
  umount "$BATS_TEST_TMPDIR/source/sub"
  [ "$(client exec box cat /in/sub/file)" = below ]
  client exec -d box sh -c 'cd /in/sub && touch /ready && exec sleep 600'
  until client exec box test -e /ready; do :; done
  run ! client update --mount-rm /in box
  [[ $output == *'is in use'* ]]
  [ "$(client exec box cat /in/sub/file)" = below ]
  client exec box sh -c 'kill $(pidof sleep | tr " " "\n" | grep -vx 1) && while [ "$(pidof sleep)" != 1 ]; do :; done'
  client update --mount-rm /in box
  [ "$(client exec box grep -c ' /in' /proc/mounts)" = 0 ]
}

@test "volume events tell of mounts that come and go" {
  since=$(date +%s.%N)
  box
  client update --mount-add type=volume,source=live-ev,target=/ev,readonly box
  client update --mount-rm /ev box
  run -0 client events --since "$since" --until "$(date +%s.%N)" --filter type=volume --format '{{.Action}} {{index .Actor.Attributes "destination"}} {{index .Actor.Attributes "read/write"}}'
  [ "$output" = $'create  \nmount /ev false\nunmount  ' ]
  client volume rm live-ev
}
