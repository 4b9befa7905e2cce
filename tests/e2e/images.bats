# Images come, are named, shown, saved and go.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }

@test "images, tag, rmi" {
  run -0 client images --format '{{.Repository}}:{{.Tag}}'
  [ "$output" = busybox:latest ]
  client tag busybox other/name:v1
  id=$(client images -q --no-trunc busybox)
  run -0 client rmi other/name:v1
  [ "$output" = 'Untagged: other/name:v1' ]
  run -0 client image inspect --format '{{.Id}}' busybox
  [ "$output" = "$id" ]
  run -1 client rmi nosuch
  [[ $output == *'No such image: nosuch'* ]]
  run -1 client tag busybox Bad/NAME
  [[ $output == *'repository name'*'must be lowercase'* ]]
}

@test "an image that a container uses is not removed" {
  client create --name user busybox true
  run -1 client rmi busybox
  [[ $output == *'conflict: unable to'* ]]
  client rm user
}

@test "save and load give the same image" {
  id=$(client images -q --no-trunc busybox)
  client tag busybox again:1
  client save -o "$BATS_TEST_TMPDIR/a.tar" busybox again:1
  tar -tf "$BATS_TEST_TMPDIR/a.tar" >"$BATS_TEST_TMPDIR/names"
  grep -qx manifest.json "$BATS_TEST_TMPDIR/names" && grep -qx index.json "$BATS_TEST_TMPDIR/names" && grep -qx oci-layout "$BATS_TEST_TMPDIR/names"
  client rmi busybox again:1
  for filter in cat gzip zstd xz bzip2; do
    $filter <"$BATS_TEST_TMPDIR/a.tar" >"$BATS_TEST_TMPDIR/b.tar"
    run -0 client load -i "$BATS_TEST_TMPDIR/b.tar"
    [[ $output == *'Loaded image: again:1'* ]]
    [ "$(client images -q --no-trunc busybox)" = "$id" ]
    [ $filter = bzip2 ] || client rmi busybox again:1 >/dev/null
  done
  run -0 client run --rm again:1 echo works
  [ "$output" = works ]
  client rmi again:1
}

@test "layers keep owners, times, links, devices, xattrs and holes" {
  root=$BATS_TEST_TMPDIR/root; mkdir -p "$root/d"
  cp "$(command -v busybox)" "$root/busybox"
  echo x >"$root/d/a"; ln "$root/d/a" "$root/d/b"; ln -s ../d/a "$root/d/c"; chown 12:34 "$root/d/a"; chmod 4755 "$root/d/a"
  touch -d '2001-02-03 04:05:06.789012345 UTC' "$root/d/a"
  mknod "$root/d/null" c 1 3; mkfifo "$root/d/fifo"
  truncate -s 100M "$root/d/hole"
  setfattr -n user.note -v kept "$root/d/a" 2>/dev/null || true
  tar -C "$root" --xattrs -S --format=posix -c . | client import - files
  client create --name filer files /busybox true
  run -0 client run --rm files /busybox sh -c '/busybox stat -c "%u %g %a %h %Y" /d/a; /busybox readlink /d/c; /busybox test -c /d/null && /busybox test -p /d/fifo && /busybox du -k /d/hole'
  [ "${lines[0]}" = '12 34 4755 2 981173106' ]
  [ "${lines[1]}" = ../d/a ]
  [ "${lines[2]%%[!0-9]*}" -lt 1000 ]
  client rm filer; client rmi files
}

@test "archives that attack or are broken change nothing" {
  before=$(client images -aq; find "$ENGINE/data" | sort)
  python3 - "$BATS_TEST_TMPDIR" <<'PY'
import io, sys, tarfile
def archive(name, entries):
    with tarfile.open(f'{sys.argv[1]}/{name}.tar', 'w') as tar:
        for kind, path, value in entries:
            info = tarfile.TarInfo(path)
            if kind == 'file':
                info.size = len(value); tar.addfile(info, io.BytesIO(value)); continue
            info.type = {'link': tarfile.SYMTYPE, 'hard': tarfile.LNKTYPE}[kind]; info.linkname = value; tar.addfile(info)
archive('dotdot', [('file', '../../../../../../tmp/wherry-escape', b'x')])
archive('throughlink', [('link', 'l', '/tmp'), ('file', 'l/wherry-escape', b'x')])
archive('hardlink', [('hard', 'h', '../../../../../../etc/passwd')])
archive('whiteout', [('file', '.wh...', b'')])
PY
  for attack in dotdot throughlink hardlink whiteout; do
    client import "$BATS_TEST_TMPDIR/$attack.tar" attack-$attack >/dev/null 2>&1 && client rmi attack-$attack >/dev/null
    [ ! -e /tmp/wherry-escape ]
  done
  head -c 100000 /dev/urandom >"$BATS_TEST_TMPDIR/noise.tar"
  run -1 client load -i "$BATS_TEST_TMPDIR/noise.tar"
  client save busybox | head -c 500000 >"$BATS_TEST_TMPDIR/cut.tar"
  run -1 client load -i "$BATS_TEST_TMPDIR/cut.tar"
  [ "$before" = "$(client images -aq; find "$ENGINE/data" | sort)" ]
}

@test "history and inspect" {
  run -0 client history --format '{{.Comment}}' busybox
  [[ $output == 'Imported from -' ]]
  run -0 client inspect --format '{{json .Config.Cmd}} {{.Os}}' busybox
  [ "$output" = '["sh"] linux' ]
}

@test "an image of a hundred layers runs" {
  python3 - "$BATS_TEST_TMPDIR/many.tar" <<'PY'
import hashlib, io, json, sys, tarfile
def add(tar, name, data):
    info = tarfile.TarInfo(name); info.size = len(data); info.mode = 0o755; tar.addfile(info, io.BytesIO(data))
def layer(entries):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode='w') as tar:
        for name, data in entries: add(tar, name, data)
    return raw.getvalue()
layers = [layer([('busybox', open('/bin/busybox', 'rb').read())])] + [layer([(f'file{i}', b'x'), ('top', b'%d' % i)]) for i in range(100)]
config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {}, 'rootfs': {
    'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(data).hexdigest() for data in layers]}}).encode()
with tarfile.open(sys.argv[1], 'w') as tar:
    names = [f'{i}/layer.tar' for i in range(len(layers))]
    for name, data in zip(names, layers): add(tar, name, data)
    add(tar, 'config.json', config)
    add(tar, 'manifest.json', json.dumps([{'Config': 'config.json', 'RepoTags': ['many:1'], 'Layers': names}]).encode())
PY
  client load -i "$BATS_TEST_TMPDIR/many.tar"
  run -0 client run --rm many:1 /busybox sh -c '/busybox ls / | /busybox grep -c file; /busybox cat /top'
  [ "${lines[0]}" = 100 ] && [ "${lines[1]}" = 99 ]
  client rmi many:1
}

@test "a container keeps the layers of an image that was removed by force" {
  client tag busybox gone:1
  client create --name survivor gone:1 echo still here
  id=$(client images -q --no-trunc gone)
  client rmi gone:1 busybox || true
  client rmi -f "$id"
  run -0 client start -a survivor
  [ "$output" = 'still here' ]
  run -0 client inspect --format '{{.Image}}' survivor
  [ "$output" = "$id" ]
  client rm survivor
  [ -z "$(ls -A "$ENGINE/data/layers")" ]
  image_busybox
}

@test "prune takes what nothing refers to, and with -a what no container uses" {
  echo one >"$BATS_TEST_TMPDIR/one"; echo two >"$BATS_TEST_TMPDIR/two"; echo three >"$BATS_TEST_TMPDIR/three"
  tar -C "$BATS_TEST_TMPDIR" -c one | client import -c 'LABEL keep=yes' - >/dev/null
  dangling=$(tar -C "$BATS_TEST_TMPDIR" -c two | client import -)
  tar -C "$BATS_TEST_TMPDIR" -c three | client import - named:1
  run -0 client image prune -f --filter 'label!=keep'
  [ "${lines[0]}" = 'Deleted Images:' ] && [ "${lines[1]}" = "deleted: $dangling" ]
  [[ ${lines[2]} == 'deleted: sha256:'* && ${lines[3]} == 'Total reclaimed space: 4B' ]]
  run -0 client images -qf dangling=true
  [ "${#lines[@]}" = 1 ]
  run -0 client image prune -f --filter until=2001-01-01
  [ "$output" = 'Total reclaimed space: 0B' ]
  client create --name keeper busybox true
  run -0 client image prune -af
  [[ $output == *'untagged: named:1'* ]]
  run -0 client images -aq
  [ "${#lines[@]}" = 1 ]
  client rm keeper
  run -1 client image prune -f --filter color=red
  [[ $output == *"invalid filter 'color'"* ]]
  run -0 client image prune <<<n
  [[ $output == *'WARNING! This will remove all dangling images.'* ]]
}

@test "lists by time, reference and label" {
  tar -C "$BATS_TEST_TMPDIR" -c . | client import -c 'LABEL color=red' - later/box:v1
  run -0 client images -f since=busybox --format '{{.Repository}}'
  [ "$output" = later/box ]
  run -0 client images -f before=later/box:v1 --format '{{.Repository}}'
  [ "$output" = busybox ]
  run -0 client images -f 'reference=*/box:v*' --format '{{.Tag}}'
  [ "$output" = v1 ]
  run -0 client images -f label=color=red --format '{{.Repository}}'
  [ "$output" = later/box ]
  run -0 client images -qf label=color=blue
  [ -z "$output" ]
  run -0 client images -qf until=1h
  [ -z "$output" ]
  client rmi later/box:v1
}

@test "an image of another platform than the one that is asked for" {
  tar -C "$BATS_TEST_TMPDIR" -c . | client import --platform linux/arm64 - foreign:1
  run -1 client create --platform linux/amd64 --pull never foreign:1 true
  [[ $output == *'image with reference foreign:1 was found but does not match the specified platform: wanted linux/amd64, actual: linux/arm64'* ]]
  [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$ENGINE/sock" -G --data-urlencode 'platform={"os":"linux","architecture":"amd64"}' http://d/v1.49/images/foreign:1/json)" = 404 ]
  [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$ENGINE/sock" -G --data-urlencode 'platform={"os":"linux","architecture":"arm64"}' http://d/v1.49/images/foreign:1/json)" = 200 ]
  [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$ENGINE/sock" -G --data-urlencode 'platform=x' http://d/v1.49/images/foreign:1/json)" = 400 ]
  client rmi foreign:1
}

@test "an image remembers its parent through save and load" {
  client create --name parental busybox true
  client commit parental parental:child
  client rm parental
  parent=$(client inspect -f '{{.Id}}' busybox)
  client save busybox parental:child | tar x -O manifest.json | grep -q "\"Parent\":\"$parent\""
  run -1 bash -c 'tar x -O manifest.json | grep Parent' < <(client save parental:child)
  client save -o "$BATS_TEST_TMPDIR/both.tar" busybox parental:child
  client rmi parental:child
  client load -i "$BATS_TEST_TMPDIR/both.tar"
  [ "$(client inspect -f '{{.Parent}}' parental:child)" = "$parent" ]
  client rmi parental:child
}

@test "an import from a URL" {
  mkdir -p "$BATS_TEST_TMPDIR/www/root"
  echo served >"$BATS_TEST_TMPDIR/www/root/file"
  tar -C "$BATS_TEST_TMPDIR/www/root" -cf "$BATS_TEST_TMPDIR/www/root.tar" .
  echo 'no archive' >"$BATS_TEST_TMPDIR/www/text"
  python3 -u -m http.server --bind 127.0.0.1 --directory "$BATS_TEST_TMPDIR/www" 0 >"$BATS_TEST_TMPDIR/served" 2>&1 3>&- &
  server=$!
  until grep -q 'port [0-9]' "$BATS_TEST_TMPDIR/served"; do sleep 0.05; done
  at=127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$BATS_TEST_TMPDIR/served")
  run -0 client import -c 'CMD ["x"]' "http://$at/root.tar" served:1
  [[ $output == *"Downloading from http://$at/root.tar"*sha256:* ]]
  [ "$(client history --format '{{.Comment}}' served:1)" = "Imported from http://$at/root.tar" ]
  client create --name served served:1
  [ "$(client cp served:/file - | tar x -O)" = served ]
  client rm served
  client rmi served:1
  import() { curl -s --unix-socket "$ENGINE/sock" -X POST "http://x/v1.45/images/create?fromSrc=$1" -w '%{http_code}'; }
  run -0 import "$at/nosuch"
  [[ $output == *"failed to GET http://$at/nosuch with status 404 File not found: "*404 ]]
  run -0 import "$at/text"
  [[ $output == *'"error":"unexpected EOF"}'*200 ]]
  run -0 import "ftp://$at/text"
  [[ $output == *"unsupported protocol scheme"*500 ]]
  run -0 import "$at/root.tar&repo=UPPER"
  [[ $output == *'must be lowercase'*400 ]]
  kill $server
  run -0 import "$at/root.tar"
  [[ $output == *'connect: connection refused'*500 ]]
}
