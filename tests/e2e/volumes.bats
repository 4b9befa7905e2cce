# Named volumes: their life, the options of the local driver, and what containers see of them.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox && image_filled; }
teardown_file() { client volume prune -af >/dev/null; engine_stop; }

image_filled() { # with /data, which belongs to somebody
  local root=$ENGINE/filled
  mkdir -p "$root/bin" "$root/data/sub"
  cp "$(command -v busybox)" "$root/bin/sh"; cp "$(command -v busybox)" "$root/bin/ls"
  echo one >"$root/data/f"; echo two >"$root/data/sub/g"
  chown 12:34 "$root/data" "$root/data/f"; chmod 0750 "$root/data"
  tar -C "$root" -c . | client import -c 'VOLUME /data' - filled >/dev/null
  rm -rf "$root"
}
mounts_left() { grep -c "$ENGINE/data/volumes" /proc/self/mountinfo || true; }
api() { # METHOD PATH [BODY]: "STATUS BODY"
  curl -s -o "$BATS_TEST_TMPDIR/body" -w '%{http_code} ' --unix-socket "$ENGINE/sock" -X "$1" "http://x$2" \
    ${3:+-H 'Content-Type: application/json' -d "$3"}
  cat "$BATS_TEST_TMPDIR/body"
}

@test "create is idempotent, inspect shows it, rm forgets it" {
  run -0 client volume create --label k=v one; [ "$output" = one ]
  run -0 client volume create one; [ "$output" = one ]
  run -0 client volume inspect -f '{{.Name}} {{.Driver}} {{.Scope}} {{json .Labels}} {{json .Options}} {{.Mountpoint}}' one
  [ "$output" = "one local local {\"k\":\"v\"} null $ENGINE/data/volumes/one/_data" ]
  [ -d "$ENGINE/data/volumes/one/_data" ]
  run -0 client volume rm one; [ "$output" = one ]
  [ ! -e "$ENGINE/data/volumes/one" ]
  run -1 client volume rm one
  [[ $output == *'get one: no such volume'* ]]
  run -0 client volume rm -f one
}

@test "bad names, drivers and options are refused in Docker's words, and leave nothing" {
  run -1 client volume create x; [[ $output == *'create x: volume name is too short, names should be at least two alphanumeric characters'* ]]
  run -1 client volume create a/b; [[ $output == *'create a/b: "a/b" includes invalid characters for a local volume name'* ]]
  run -1 client volume create -d nosuch ab; [[ $output == *'create ab: error looking up volume plugin nosuch: plugin "nosuch" not found'* ]]
  run -1 client volume create -o foo=bar ab; [[ $output == *'create ab: invalid option: "foo"'* ]]
  run -1 client volume create -o type=tmpfs ab; [[ $output == *'create ab: missing required option: "device"'* ]]
  run -1 client volume create -o o=ro ab; [[ $output == *'create ab: missing required option: "device"'* ]]
  run -1 client volume create -o size=10m ab; [[ $output == *'quota size requested but no quota support'* ]]
  run -0 api POST /volumes/create '{"Name":"ab","ClusterVolumeSpec":{}}'
  [[ $output == '503 '*'This node is not a swarm manager'* ]]
  run -0 api PUT /volumes/ab '{}'; [[ $output == '503 '* ]]
  run -0 api POST /volumes/create '{"Name":5}'
  [[ $output == *'invalid JSON: json: cannot unmarshal number into Go struct field CreateOptions.Name of type string'* ]]
  run -0 client volume ls -q; [ -z "$output" ]
  [ -z "$(ls "$ENGINE/data/volumes" 2>/dev/null)" ]
}

@test "ls with its filters" {
  client volume create --label team=a va; client volume create --label team=b vb; client volume create wa
  client create --name user -v va:/v busybox true
  run -0 client volume ls -q -f label=team; [ "$output" = $'va\nvb' ]
  run -0 client volume ls -q -f label=team=b; [ "$output" = vb ]
  run -0 client volume ls -q -f name=a; [ "$output" = $'va\nwa' ]
  run -0 client volume ls -q -f dangling=true; [ "$output" = $'vb\nwa' ]
  run -0 client volume ls -q -f dangling=0; [ "$output" = va ]
  run -0 client volume ls -q -f driver=other; [ -z "$output" ]
  run -1 client volume ls -f dangling=maybe; [[ $output == *"invalid filter 'dangling=[maybe]'"* ]]
  run -1 client volume ls -f foo=bar; [[ $output == *"invalid filter 'foo'"* ]]
  run -0 client volume ls --format '{{.Name}} {{.Labels}}'; [ "$output" = $'va team=a\nvb team=b\nwa ' ]
  run -1 client volume rm va
  [[ $output =~ 'remove va: volume is in use - ['[0-9a-f]{64}']' ]]
  client rm user; client volume rm va vb wa
}

@test "a volume keeps its files; an empty one is filled from the image with owners and modes" {
  run -0 client run --rm -v data:/data filled /bin/ls -ln /data
  [[ ${lines[1]} == *' 12 '*' 34 '* ]]
  run -0 stat -c '%u %g %a' "$ENGINE/data/volumes/data/_data"; [ "$output" = '12 34 750' ]
  client run --rm -v data:/v busybox sh -c 'rm -r /v/*; echo mine >/v/mine'
  run -0 client run --rm -v data:/data filled /bin/ls /data; [ "$output" = mine ]
  run -0 client run --rm -v empty:/data:nocopy filled /bin/ls /data; [ -z "$output" ]
  run -0 client run --rm --mount type=volume,src=empty2,dst=/data,volume-nocopy filled /bin/ls /data; [ -z "$output" ]
  client volume rm data empty empty2
}

@test "anonymous volumes go with rm -v and --rm, but not while another container has them" {
  client create --name first filled /bin/ls
  client create --name second --volumes-from first busybox true
  name=$(client inspect -f '{{(index .Mounts 0).Name}}' first)
  run -0 client volume inspect -f '{{json .Labels}}' "$name"; [ "$output" = '{"com.docker.volume.anonymous":""}' ]
  client rm -v first
  client volume inspect "$name"
  client rm -v second
  run -1 client volume inspect "$name"
  client run --rm filled /bin/ls /data
  run -0 client volume ls -q; [ -z "$output" ]
}

@test "prune takes anonymous ones; all on request; never one in use or one with options" {
  client volume create named; client volume create -o type=tmpfs -o device=tmpfs kept
  client create --name user -v used:/v busybox true
  client create --name gone -v /anon busybox true; client rm gone
  run -0 client volume prune -f; [[ $output == *'Total reclaimed space: 0B'* ]]
  run -0 client volume ls -q; [ "$output" = $'kept\nnamed\nused' ]
  run -1 client volume prune -f --filter foo=bar; [[ $output == *"invalid filter 'foo'"* ]]
  run -0 client volume prune -af; [[ $output == *$'Deleted Volumes:\nnamed\n'* ]]
  run -0 client volume ls -q; [ "$output" = $'kept\nused' ]
  client rm user; client volume rm kept used
}

@test "a subpath of a volume, which does not lead out of it" {
  client run --rm -v tree:/v busybox sh -c 'mkdir /v/in; echo 1 >/v/in/file; ln -s in /v/link; ln -s / /v/out; ln -s ../../.. /v/up'
  run -0 client run --rm --mount type=volume,src=tree,dst=/x,volume-subpath=in busybox ls /x; [ "$output" = file ]
  run -0 client run --rm --mount type=volume,src=tree,dst=/x,volume-subpath=link busybox ls /x; [ "$output" = file ]
  run -0 client run --rm --mount type=volume,src=tree,dst=/x,volume-subpath=in/file busybox cat /x; [ "$output" = 1 ]
  for path in out up; do
    run -125 client run --rm --mount type=volume,src=tree,dst=/x,volume-subpath=$path busybox ls /x
    [[ $output == *"path concatenation escapes the base directory"*"subpath: $path"* ]]
  done
  run -125 client run --rm --mount type=volume,src=tree,dst=/x,volume-subpath=../y busybox true
  [[ $output == *'subpath must be a relative path within the volume'* ]]
  client volume rm tree
}

@test "volumes-from: modes, order, what is on top" {
  client create --name one -v va:/a -v vb:/b:ro busybox true
  show='{{range .Mounts}}{{.Destination}} {{.Name}} {{.RW}} {{end}}'
  client create --name two --volumes-from one:ro busybox true
  run -0 client inspect -f "$show" two; [[ $output == *'/a va false'* && $output == *'/b vb false'* ]]
  client create --name three --volumes-from one -v vc:/a busybox true
  run -0 client inspect -f "$show" three; [[ $output == *'/a vc true'* && $output == *'/b vb false'* ]]
  run -1 client create --volumes-from one:foo busybox true; [[ $output == *'invalid mode: foo'* ]]
  client rm one two three; client volume rm va vb vc
}

@test "a volume with options is mounted for its containers alone, and shared by them" {
  client volume create -o type=tmpfs -o device=tmpfs -o o=size=1m,uid=7 mem
  run -0 client run --rm -v mem:/m busybox sh -c 'stat -c %u /m; grep -c " /m tmpfs .*size=1024k" /proc/mounts'
  [ "$output" = $'7\n1' ]
  [ "$(mounts_left)" = 0 ]
  client run -d --name holder -v mem:/m busybox sh -c 'echo there >/m/f; exec sleep 600'
  for _ in $(seq 100); do ! client exec holder test -s /m/f || break; sleep 0.1; done
  run -0 client run --rm -v mem:/other busybox cat /other/f; [ "$output" = there ]
  [ "$(mounts_left)" = 1 ]
  client rm -f holder
  [ "$(mounts_left)" = 0 ]
  client volume rm mem
}

@test "a mount that fails leaves the container as it was, and nothing mounted" {
  client create --name bad --mount type=volume,src=bad,dst=/x,volume-nocopy,volume-opt=type=none,volume-opt=device=/nosuch,volume-opt=o=bind busybox true
  run -1 client start bad
  [[ $output == *"error while mounting volume '$ENGINE/data/volumes/bad/_data': failed to mount local volume: mount /nosuch:$ENGINE/data/volumes/bad/_data, flags: 0x1000: no such file or directory"* ]]
  run -0 client inspect -f '{{.State.Status}}' bad; [ "$output" = created ]
  client rm bad; client volume rm bad
  [ "$(mounts_left)" = 0 ]
}

@test "volumes and their mounts after a crash of the engine" {
  client volume create --label k=v -o type=tmpfs -o device=tmpfs mem
  client run -d --name lives -v mem:/m busybox sh -c 'echo there >/m/f; exec sleep 600'
  client run -d --name dies -v other:/o -v mem:/m busybox sleep 600
  for _ in $(seq 100); do ! client exec lives test -s /m/f || break; sleep 0.1; done
  engine_halt KILL; engine_launch
  run -0 client volume inspect -f '{{json .Labels}}' mem; [ "$output" = '{"k":"v"}' ]
  run -0 client run --rm -v mem:/m busybox cat /m/f; [ "$output" = there ]
  run -1 client volume rm mem; [[ $output == *'volume is in use'* ]]
  # Both end while nobody looks: the next engine cleans up.
  pids=$(client inspect -f '{{.State.Pid}}' lives dies)
  engine_halt KILL
  kill -9 $pids
  engine_launch
  [ "$(mounts_left)" = 0 ]
  client rm -f lives dies; client volume rm mem other
}

@test "binds: propagation of read-only, a made mount point, tmpfs sizes" {
  mkdir -p "$BATS_TEST_TMPDIR/top/inner"
  mount -t tmpfs none "$BATS_TEST_TMPDIR/top/inner"
  try() { client run --rm --mount "type=bind,src=$BATS_TEST_TMPDIR/top,dst=/x,$1" busybox touch "/x/$2" 2>&1; }
  run try readonly f; first=$status:$output
  run try readonly inner/f; second=$status:$output
  run try readonly,bind-recursive=writable inner/f; third=$status:$output
  run try readonly,bind-recursive=writable f; fourth=$status:$output
  run try bind-recursive=disabled inner/g; fifth=$status
  umount "$BATS_TEST_TMPDIR/top/inner"
  [[ $first == 1:*'Read-only file system'* && $second == 1:*'Read-only file system'* ]]
  [ "$third" = 0: ]; [[ $fourth == 1:*'Read-only file system'* ]]
  [ "$fifth" = 0 ] && [ -e "$BATS_TEST_TMPDIR/top/inner/g" ]
  run -125 client run --rm --mount "type=bind,src=$BATS_TEST_TMPDIR/none,dst=/x" busybox true
  [[ $output == *"bind source path does not exist: $BATS_TEST_TMPDIR/none"* ]]
  run -0 api POST /containers/create "{\"Image\":\"busybox\",\"Cmd\":[\"true\"],\"HostConfig\":{\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"$BATS_TEST_TMPDIR/made\",\"Target\":\"/x\",\"BindOptions\":{\"CreateMountpoint\":true}}]}}"
  [[ $output == 201* ]]
  id=$(jq -r .Id "$BATS_TEST_TMPDIR/body")
  client start "$id"; client wait "$id"; [ -d "$BATS_TEST_TMPDIR/made" ]
  client rm "$id"
  run -0 client run --rm --mount type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=700 busybox sh -c 'grep " /x" /proc/mounts'
  [[ $output == *'size=1024k,mode=700'* ]]
}

@test "an anonymous volume goes with its containers, also when they are removed at once" {
  for turn in 1 2 3; do
    client create --name user0 -v /anonymous busybox true
    volume=$(client inspect -f '{{(index .Mounts 0).Name}}' user0)
    for i in 1 2 3 4 5; do client create --name "user$i" --volumes-from user0 busybox true; done
    for i in 0 1 2 3 4 5; do curl -s --unix-socket "$ENGINE/sock" -X DELETE "http://x/containers/user$i?v=1" & removals="${removals:-} $!"; done
    wait $removals
    removals=
    run -1 client volume inspect "$volume"
  done
}
