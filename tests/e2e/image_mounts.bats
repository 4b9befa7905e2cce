# --mount type=image: what is in an image, to be read in another one's container.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox
  # Two layers and more, with a file that the upper one has removed.
  client run --name maker busybox sh -c 'mkdir -p /tools/sub && echo one >/tools/sub/file && echo gone >/tools/gone && ln -s /etc/passwd /tools/link'
  client commit maker step && client rm maker
  client run --name maker step sh -c 'rm /tools/gone && echo two >/tools/new'
  client commit maker tools && client rm maker
  mkdir "$ENGINE/flat" && echo flat >"$ENGINE/flat/file" && tar -C "$ENGINE/flat" -c . | client import - flat
}
teardown_file() { engine_stop; }
setup() { needs_recent_client; }
teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
}

# How many of the host's mounts are the engine's or the test's.
mounts() { grep -c -F -e "$ENGINE" -e "$BATS_TEST_TMPDIR" /proc/self/mountinfo || true; }

needs_recent_client() { # image mounts came with version 28
  [ "$CLIENT" = docker ] || return 0
  local version; version=$(client version --format '{{.Client.Version}}')
  [ "${version%%.*}" -ge 28 ] || skip "docker $version cannot"
}

@test "the whole image is there, all layers merged, and can only be read" {
  run -0 client run --rm --mount type=image,source=tools,target=/x busybox sh -c 'ls /x/tools; cat /x/tools/sub/file /x/bin/busybox | head -c 4'
  [ "$output" = $'link\nnew\nsub\none' ]
  run client run --rm --mount type=image,source=tools,target=/x busybox touch /x/new
  [[ $output == *'Read-only file system'* ]]
  [ "$(client run --rm --mount type=image,source=flat,target=/x busybox cat /x/file)" = flat ]
  run client run --rm --mount type=image,source=flat,target=/x busybox touch /x/new
  [[ $output == *'Read-only file system'* ]]
}

@test "a folder or a file of it, and nothing outside of it" {
  run -0 client run --rm --mount type=image,source=tools,target=/x,image-subpath=tools/sub busybox ls /x
  [ "$output" = file ]
  [ "$(client run --rm --mount type=image,source=tools,target=/f,image-subpath=tools/sub/file busybox cat /f)" = one ]
  [ "$(client run --rm --mount type=image,source=flat,target=/f,image-subpath=file busybox cat /f)" = flat ]
  # The link leads to the image's own file, not to the host's.
  [ "$(client run --rm --mount type=image,source=tools,target=/f,image-subpath=tools/link busybox wc -l /f)" = '2 /f' ]
  run ! client run --rm --mount type=image,source=tools,target=/x,image-subpath=../.. busybox true
  [[ $output == *'subpath must be a relative path within the image'* ]]
  run ! client run --rm --mount type=image,source=tools,target=/x,image-subpath=no/such busybox true
  [[ $output == *'no/such'*'no such file or directory'* ]]
}

@test "inspect shows it, and two images and the same one twice go together" {
  client create --name box --mount type=image,source=tools,target=/one --mount type=image,src=tools:latest,dst=/two \
    --mount type=image,source=flat,target=/one/tools busybox true
  run -0 client inspect -f '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.RW}};{{end}}' box
  [ "$output" = 'image tools /one false;image tools:latest /two false;image flat /one/tools false;' ]
  [ "$(client inspect -f '{{range .HostConfig.Mounts}}{{.Type}} {{.Source}};{{end}}' box)" = 'image tools;image tools:latest;image flat;' ]
  client start -a box
}

@test "what cannot be mounted is refused" {
  run ! client create --mount type=image,source=nosuch,target=/x busybox true
  [[ $output == *'No such image: nosuch'* ]]
  run ! client create --mount type=image,target=/x busybox true
  [[ $output == *'invalid mount config for type "image": field Source must not be empty'* ]]
  [ -z "$(client ps -aq)" ]
}

@test "the image's layers are kept for as long as the container is there" {
  client tag tools other
  client commit "$(client create busybox true)" unique >/dev/null
  client run --name maker busybox sh -c 'echo kept >/kept'
  client commit maker kept && client rm maker
  client create --name box --mount type=image,source=kept,target=/x busybox cat /x/kept
  layer=$(client image inspect -f '{{index .RootFS.Layers 1}}' kept)
  client rmi kept
  [ -d "$ENGINE/data/layers/${layer#sha256:}" ]
  engine_halt KILL && engine_launch
  [ "$(client start -a box)" = kept ]
  # Another image of the name is not what was asked for.
  client tag flat kept
  [ "$(client start -a box)" = kept ]
  client rmi kept
  client rm box
  [ ! -d "$ENGINE/data/layers/${layer#sha256:}" ]
  client rmi other unique
}

@test "cp sees it, volumes-from hands it on, an image's name is no volume's" {
  client volume create flat
  client create --name box --mount type=image,source=flat,target=/x busybox true
  client cp box:/x/file "$BATS_TEST_TMPDIR/file"
  [ "$(cat "$BATS_TEST_TMPDIR/file")" = flat ]
  [ "$(client run --rm --volumes-from box busybox cat /x/file)" = flat ]
  client volume rm flat
}

@test "nothing of it is seen on the host, whatever the propagation of other mounts" {
  before=$(mounts)
  mount -t tmpfs none "$BATS_TEST_TMPDIR" && mount --make-shared "$BATS_TEST_TMPDIR"
  client run -d --name box -v "$BATS_TEST_TMPDIR:/s:rshared" --mount type=image,source=tools,target=/x busybox sleep 600
  [ "$(mounts)" = $((before + 1)) ]
  [ "$(client exec box cat /x/tools/new)" = two ]
  client rm -f box
  umount "$BATS_TEST_TMPDIR"
}

@test "an image comes into a running container, and goes again" {
  [ "$CLIENT" = wherry ] || skip 'docker has no such flags'
  client run -d --name box busybox sleep 600
  before=$(mounts)
  client update --mount-add type=image,source=tools,target=/x --mount-add type=image,source=flat,target=/y box
  [ "$(client exec box cat /x/tools/new /y/file)" = $'two\nflat' ]
  [ "$(mounts)" = "$before" ]
  run client exec box touch /x/new
  [[ $output == *'Read-only file system'* ]]
  client restart -t 0 box
  [ "$(client exec box cat /x/tools/new)" = two ]
  client update --mount-rm /x --mount-rm /y box
  [ "$(client exec box grep -c -e ' /x ' -e ' /y ' /proc/mounts)" = 0 ]
  run ! client update --mount-add type=image,source=nosuch,target=/x box
  [[ $output == *'No such image: nosuch'* ]]
}
