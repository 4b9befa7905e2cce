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
