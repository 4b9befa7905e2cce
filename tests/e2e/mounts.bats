# Where things are mounted, in which order, and what may be shared.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }

@test "a volume at /etc does not hide the container's own hosts, hostname and resolv.conf" {
  run -0 client run --rm -h boat --tmpfs /etc busybox sh -c 'ls /etc; cat /etc/hostname'
  [ "$output" = $'hostname\nhosts\nresolv.conf\nboat' ]
}

@test "a mount of the user's at /etc/hosts stays" {
  echo mine >"$BATS_TEST_TMPDIR/hosts"
  run -0 client run --rm -v "$BATS_TEST_TMPDIR/hosts:/etc/hosts" busybox cat /etc/hosts
  [ "$output" = mine ]
}

@test "a mount comes after the one that holds its target, in whatever order they were given" {
  mkdir -p "$BATS_TEST_TMPDIR/v/sub"; touch "$BATS_TEST_TMPDIR/v/f" "$BATS_TEST_TMPDIR/v/sub/g"
  run -0 client run --rm --tmpfs /v/sub -v "$BATS_TEST_TMPDIR/v:/v" busybox sh -c 'ls /v; ls /v/sub'
  [ "$output" = $'f\nsub' ]
  run -0 client run --rm -v "$BATS_TEST_TMPDIR/v/sub:/v/x" -v "$BATS_TEST_TMPDIR/v:/v" busybox ls /v/x
  [ "$output" = g ]
}

@test "a read-only root has read-only files in /etc, too" {
  for file in hosts hostname resolv.conf; do
    run ! client run --rm --read-only busybox sh -c "echo x >>/etc/$file"
    [[ $output == *'Read-only file system'* ]]
  done
}

@test "the root is marked as a container's" {
  run -0 client run --rm busybox sh -c 'stat -c "%a %s" /.dockerenv; readlink /etc/mtab'
  [ "$output" = $'755 0\n/proc/mounts' ]
}

@test "nothing covers /proc, not even through a link of the image" {
  for target in /proc /proc/sys /proc/1/attr; do
    run -125 client run --rm -v "$BATS_TEST_TMPDIR:$target" busybox true
    [[ $output == *'check proc-safety of '* ]]
  done
  run -125 client run --rm --tmpfs /proc/sys busybox true
  [[ $output == *'cannot be mounted because it is inside /proc'* ]]
  mkdir -p "$BATS_TEST_TMPDIR/image/bin"; ln -s /proc/sys "$BATS_TEST_TMPDIR/image/link"
  cp "$(command -v busybox)" "$BATS_TEST_TMPDIR/image/bin/true"
  tar -C "$BATS_TEST_TMPDIR/image" -c . | client import - linked
  run -125 client run --rm -v "$BATS_TEST_TMPDIR:/link" linked true
  [[ $output == *'cannot be mounted because it is inside /proc'* ]]
  client rmi linked
  run -0 client run --rm -v /proc/uptime:/proc/uptime -v /proc:/host busybox test -e /host/1
}

@test "a file is mounted where a link of the image leads, though there is nothing yet" {
  mkdir -p "$BATS_TEST_TMPDIR/image/bin" "$BATS_TEST_TMPDIR/image/deep/er"
  cp "$(command -v busybox)" "$BATS_TEST_TMPDIR/image/bin/cat"
  ln -s ../made/file "$BATS_TEST_TMPDIR/image/deep/relative"
  ln -s /deep/relative "$BATS_TEST_TMPDIR/image/absolute"
  ln -s loop "$BATS_TEST_TMPDIR/image/loop"
  tar -C "$BATS_TEST_TMPDIR/image" -c . | client import - links
  echo found >"$BATS_TEST_TMPDIR/file"
  run -0 client run --rm -v "$BATS_TEST_TMPDIR/file:/absolute" links cat /made/file
  [ "$output" = found ]
  run -125 client run --rm -v "$BATS_TEST_TMPDIR/file:/loop" links cat /loop
  [[ $output == *'too many levels of symbolic links'* ]]
  client rmi links
}

@test "propagation that the source's mount does not have is refused" {
  mkdir -p "$BATS_TEST_TMPDIR/private"
  mount -t tmpfs none "$BATS_TEST_TMPDIR/private"; mount --make-private "$BATS_TEST_TMPDIR/private"
  run client run --rm -v "$BATS_TEST_TMPDIR/private:/p:rshared" busybox true
  first=$status:$output
  run client run --rm -v "$BATS_TEST_TMPDIR/private:/p:slave" busybox true
  mount --make-shared "$BATS_TEST_TMPDIR/private"
  second=$status:$output
  run client run --rm -v "$BATS_TEST_TMPDIR/private:/p:rshared" busybox echo fine
  umount "$BATS_TEST_TMPDIR/private"
  [[ $first == 125:*"path $BATS_TEST_TMPDIR/private is mounted on $BATS_TEST_TMPDIR/private but it is not a shared mount"* ]]
  [[ $second == 125:*'but it is not a shared or slave mount'* ]]
  [ "$output" = fine ]
}

@test "a shareable /dev/shm is shared, and empty after a restart" {
  client run -d --name owner --ipc shareable busybox sh -c 'ls /dev/shm | wc -l; echo 7 >/dev/shm/f; exec sleep 60'
  sleep 0.2
  run -0 client run --rm --ipc container:owner busybox cat /dev/shm/f
  [ "$output" = 7 ]
  client restart -t 0 owner
  sleep 0.2
  run -0 client logs owner
  [ "$output" = $'0\n0' ]
  client rm -f owner
}

@test "volumes: --volumes-from of nobody, and an anonymous one that could never be written" {
  run -125 client run --rm --volumes-from nosuch busybox true
  [[ $output == *'No such container: nosuch'* && $output != *'Unable to find image'* ]]
  run -125 client run --rm --mount type=volume,target=/a,readonly busybox true
  [[ $output == *'must not set ReadOnly mode when using anonymous volumes'* ]]
}
