# Files to and from containers: cp, diff, export.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox
  client run -d --name box -v "$ENGINE/bind:/bind:ro" -v vol:/vol --tmpfs /tmpfs busybox sh -c '
    mkdir -p /w/sub && cd /w && echo hi >f && chmod 4755 f && ln f hard && ln -s f link && ln -s /w/sub folder
    ln -s nosuch broken && mknod null c 1 3 && mkfifo fifo && chown 12:34 sub && echo in >/vol/v && touch /ready; exec sleep 1000'
  local i; for i in $(seq 200); do client exec box test -e /ready && break; sleep 0.05; done
}
teardown_file() { client rm -f box >/dev/null; engine_stop; }
setup() { cd "$BATS_TEST_TMPDIR"; }

api() { curl -sS --unix-socket "$ENGINE/sock" "$@"; }

@test "a folder comes as a tar with everything that it has" {
  client cp box:/w - >w.tar
  run -0 tar -tvf w.tar --numeric-owner
  names=$(tar -tf w.tar | tr '\n' ' ')
  [ "$names" = 'w/ w/broken w/f w/fifo w/folder w/hard w/link w/null w/sub/ ' ]
  [[ $output == *'-rwsr-xr-x 0/0'*' w/f'* ]]
  [[ $output == *'w/hard link to w/f'* ]]
  [[ $output == *'crw-r--r-- 0/0'*'1,3 '*' w/null'* ]]
  [[ $output == *'drwxr-xr-x 12/34'*' w/sub/'* ]]
  [[ $output == *'w/broken -> nosuch'* ]]
}

@test "where a copy goes: files, folders, names that exist or not, slashes and dots" {
  echo one >one; mkdir -p tree/inner; echo two >tree/inner/two
  client exec box mkdir /to
  client cp one box:/to; client cp one box:/to/named; client cp tree box:/to/new; client cp tree box:/to/new; client cp tree/. box:/to/dot
  run -0 client exec box sh -c 'cd /to && find . | sort'
  [ "$output" = "$(printf '.\n./dot\n./dot/inner\n./dot/inner/two\n./named\n./new\n./new/inner\n./new/inner/two\n./new/tree\n./new/tree/inner\n./new/tree/inner/two\n./one')" ]
  run -1 client cp one box:/to/missing/
  [[ $output == *'no such directory'* ]]
  run -1 client cp one box:/to/missing/name
  [[ $output == *'Could not find the file /to/missing in container box'* ]]
  run -1 client cp tree box:/to/one
  [[ $output == *'cannot copy directory'* ]]
  run -1 client cp missing box:/to
  [[ $output == *"lstat $PWD/missing: no such file or directory"* ]]

  client cp box:/to/new/inner got; client cp box:/to/new/inner got; client cp box:/to/new/inner/. dotted; client cp box:/to/one renamed
  [ "$(find got dotted renamed | sort | tr '\n' ' ')" = 'dotted dotted/two got got/inner got/inner/two got/two renamed ' ]
  run -1 client cp box:/to/one nowhere/x
  [[ $output == *"invalid output path: directory \"$PWD/nowhere\" does not exist"* ]]
  run -1 client cp box:/to renamed
  [[ $output == *'cannot copy directory'* ]]
  run -1 client cp box:/nosuch .
  [[ $output == *'Could not find the file /nosuch in container box'* ]]
  run -1 client cp nobody:/x .
  [[ $output == *'No such container: nobody'* ]]
}

@test "names relative to the root, and none" {
  echo x >x
  client cp x box:relative; client cp box:relative y; [ "$(cat y)" = x ]; client exec box rm /relative
  run -1 client cp x box:
  [[ $output == *'no such directory'* ]]
  run -1 client cp box: .
  [[ $output == *'bad parameter: pathcannot be empty'* ]]
}

@test "links at either end" {
  client cp box:/w/link .; [ "$(readlink link)" = f ]
  client cp -L box:/w/link file; [ "$(cat file)" = hi ] && [ ! -L file ]
  client cp box:/w/broken b; [ "$(readlink b)" = nosuch ]
  echo through >through
  client cp through box:/w/folder
  [ "$(client exec box cat /w/sub/through)" = through ]
  client cp through box:/w/broken
  [ "$(client exec box cat /w/nosuch)" = through ]
  client exec box rm /w/nosuch
  ln -s through here; client cp here box:/w/here; [ "$(client exec box readlink /w/here)" = through ]
  client cp -L here box:/w/there; [ "$(client exec box cat /w/there)" = through ]
  mkdir target; ln -s target way; client cp box:/w/f way; [ "$(cat target/f)" = hi ]
}

@test "owners, modes and times; -a gives to the container's user" {
  echo x >mine; chown 7:8 mine; chmod 640 mine; touch -d '2001-02-03 04:05:06 UTC' mine
  client cp mine box:/w/mine
  [ "$(client exec box stat -c '%u %g %a %Y' /w/mine)" = '7 8 640 981173106' ]
  client run -d --name nobody --user nobody busybox sleep 100
  client cp -a mine nobody:/tmp/a; client cp mine nobody:/tmp/b
  [ "$(client exec nobody stat -c '%u %g' /tmp/a)" = '65534 65534' ]
  [ "$(client exec nobody stat -c '%u %g' /tmp/b)" = '7 8' ]
  client rm -f nobody
}

@test "from standard input, to standard output" {
  mkdir in; echo a >in/a; tar -C in -cf in.tar a; gzip -k in.tar
  client cp - box:/tmp <in.tar; [ "$(client exec box cat /tmp/a)" = a ]
  client exec box rm /tmp/a; client cp - box:/tmp <in.tar.gz; [ "$(client exec box cat /tmp/a)" = a ]
  run -1 client cp - box:/w/f <in.tar
  [[ $output == *'destination "box:/w/f" must be a directory'* ]]
  run -1 client cp a b
  [[ $output == *'must specify at least one container source'* ]]
  run -1 client cp box:/a box:/b
  [[ $output == *'copying between containers is not supported'* ]]
}

@test "volumes and read-only places" {
  echo x >x
  client cp x box:/vol; [ "$(client exec box ls /vol | tr '\n' ' ')" = 'v x ' ]
  client cp box:/vol/v v; [ "$(cat v)" = in ]
  run -1 client cp x box:/bind
  [[ $output == *'mounted volume is marked read-only'* ]]
  client create --name frozen --read-only -v vol:/vol busybox true
  run -1 client cp x frozen:/tmp
  [[ $output == *'container rootfs is marked read-only'* ]]
  client cp x frozen:/vol/y; client exec box test -e /vol/y
  client rm frozen
}

@test "created, stopped and paused containers" {
  echo x >x
  client create --name still busybox cat /tmp/x
  client cp x still:/tmp; client cp still:/tmp/x y; [ "$(cat y)" = x ]
  run -0 client start -a still; [ "$output" = x ]
  client cp still:/tmp/x z; [ "$(cat z)" = x ]
  client cp still:/etc/hosts hosts; grep -q localhost hosts
  client rm still
  client pause box; client cp x box:/tmp/paused; client cp box:/tmp/paused p; client unpause box; [ "$(cat p)" = x ]
}

@test "nothing leads out of the container" {
  client exec box sh -c 'mkdir /evil && ln -s ../../../../../../../../.. /evil/up && ln -s / /evil/root && ln -s /proc/self/root /evil/magic'
  echo secret >"$BATS_TEST_TMPDIR/secret"
  for way in up root magic; do
    run -1 client cp "box:/evil/$way$BATS_TEST_TMPDIR/secret" got
    [ ! -e got ]
    run -1 client cp secret "box:/evil/$way$BATS_TEST_TMPDIR/other"
    [ ! -e other ]
  done
  mkdir e; ln -s ../../../../etc/x e/up; tar -C e -cf up.tar up; tar -cPf out.tar --transform 's,secret,../../x,' secret
  run -1 client cp - box:/tmp <up.tar; [[ $output == *'invalid symlink "/tmp/up" -> "../../../../etc/x"'* ]]
  run -1 client cp - box:/tmp <out.tar; [[ $output == *'"../../x" is outside of "/tmp"'* ]]
}

@test "a container that exchanges links meanwhile leads nowhere" {
  mkdir fill; for i in $(seq 50); do echo "$i" >fill/$i; done
  client exec -d box sh -c 'mkdir -p /race/real /race/tmp; while [ ! -e /race/stop ]; do mv /race/real /race/was; ln -s /etc /race/real; rm /race/real; mv /race/was /race/real; done'
  before=$(stat -c %Y /etc/hostname)
  for i in $(seq 10); do client cp fill/. box:/race/real >/dev/null 2>&1 || true; client cp box:/race - 2>/dev/null | tar -tf - >names 2>/dev/null || true; done
  client exec box touch /race/stop
  [ "$(stat -c %Y /etc/hostname)" = "$before" ] && [ ! -e /etc/50 ]
}

@test "the archive endpoints' statuses and header" {
  stat=$(api -I "http://x/containers/box/archive?path=/w/link" | tr -d '\r' | sed -n 's/^X-Docker-Container-Path-Stat: //p' | base64 -d)
  [[ $stat == '{"name":"link","size":1,"mode":134218239,"mtime":"'*'","linkTarget":"/w/f"}' ]]
  code() { api -o body -w '%{http_code}' "$@"; }
  put() { code -X PUT -H 'Content-Type: application/x-tar' --data-binary @"$1" "http://x/containers/box/archive?$2"; }
  [ "$(code 'http://x/containers/box/archive')" = 400 ]; grep -q 'bad parameter: pathcannot be empty' body
  [ "$(code 'http://x/containers/box/archive?path=/w/f/')" = 500 ]; grep -q 'lstat /w/f/: not a directory' body
  [ "$(code 'http://x/containers/box/archive?path=/w/broken/')" = 404 ]; grep -q 'Could not find the file /w/broken/ in container box' body
  echo junk >junk; : >empty; mkdir -p d/e; echo f >f; tar -cf folder.tar d; tar -cf file.tar --transform s,f,d, f
  [ "$(put junk path=/tmp)" = 500 ]; grep -q 'unexpected EOF' body
  [ "$(put empty path=/tmp)" = 200 ]
  [ "$(put folder.tar path=/w/f)" = 500 ]; grep -q 'extraction point is not a directory' body
  [ "$(put folder.tar path=/tmp)" = 200 ]
  [ "$(put file.tar 'path=/tmp&noOverwriteDirNonDir=1')" = 500 ]; grep -qF 'cannot overwrite directory \"/tmp/d\" with non-directory \"/tmp\"' body
  [ "$(put file.tar path=/tmp)" = 200 ]
  [ "$(put folder.tar 'path=/tmp&noOverwriteDirNonDir=1')" = 500 ]; grep -qF 'cannot overwrite non-directory \"/tmp/d\" with directory \"/tmp\"' body
  [ "$(put folder.tar path=/tmp)" = 200 ]
  client exec box test -d /tmp/d
}

@test "clients that leave in the middle leave nothing behind" {
  client exec box sh -c 'dd if=/dev/zero of=/big bs=1M count=64 2>/dev/null'
  pid=$(cat "$ENGINE/started")
  files() { ls /proc/$pid/fd | wc -l; }
  api http://x/_ping >/dev/null
  before=$(files)
  for i in 1 2 3; do
    api 'http://x/containers/box/archive?path=/big' | head -c 100000 >/dev/null || true
    api 'http://x/containers/box/export' 2>/dev/null | head -c 100000 >/dev/null || true
    head -c 1000000 /dev/zero | timeout 1 curl -s --unix-socket "$ENGINE/sock" -X PUT -H 'Content-Type: application/x-tar' -H 'Content-Length: 5000000' --data-binary @- 'http://x/containers/box/archive?path=/tmp' >/dev/null || true
  done
  for i in $(seq 100); do [ "$(files)" -le $((before + 1)) ] && break; sleep 0.1; done
  [ "$(files)" -le $((before + 1)) ]
  client exec box rm /big
}

@test "diff tells what was added, changed and removed" {
  client create --name untouched busybox true
  run -0 client diff untouched; [ -z "$output" ]
  [ "$(api http://x/containers/untouched/changes)" = null ]
  client rm untouched
  client run --name changed -v /mounted busybox sh -c 'rm /etc/group; echo x >>/etc/passwd; mkdir -p /new/deep; rm -r /root; mkdir /root; chmod 700 /tmp; echo x >/bin/new; rm /bin/new'
  run -0 client diff changed
  [ "$(sort <<<"$output")" = "$(printf 'A /mounted\nA /new\nA /new/deep\nC /etc\nC /etc/passwd\nC /tmp\nD /etc/group')" ]
  client rm -v changed
}

@test "export has the root and no mounts" {
  client export box >box.tar
  tar -tf box.tar >names
  grep -qx 'w/f' names; grep -qx 'vol/' names; run -1 grep -q '^vol/v' names; run -1 grep -q '^proc/.' names; run -1 grep -q '^tmpfs/.' names
  client export -o file.tar box; cmp <(tar -tf file.tar) names
  run -1 client export nobody; [[ $output == *'No such container: nobody'* ]]
  # What a start makes is there before one, too, and once.
  client create --name unstarted busybox true
  for it in unstarted box; do
    run -0 bash -c 'tar t | grep -x -e .dockerenv -e dev/console -e dev/pts/ -e dev/shm/ -e etc/mtab -e etc/hosts | sort' < <(client export $it)
    [ "$output" = "$(printf '%s\n' .dockerenv dev/console dev/pts/ dev/shm/ etc/hosts etc/mtab)" ]
  done
  client rm unstarted
}

@test "a large file goes both ways whole" {
  head -c 150000000 /dev/urandom >big
  client cp big box:/tmp/big; client cp box:/tmp/big back
  cmp big back
  client exec box rm /tmp/big
}

@test "a file with holes comes whole" {
  truncate -s 500000 holes; printf middle >>holes; truncate -s 2000000 holes
  client exec box mkdir /holes
  for form in 0.0 0.1 1.0; do
    tar --format=posix --sparse-version=$form -S -c holes | client cp - box:/holes
    [ "$(client exec box sha256sum /holes/holes | cut -d' ' -f1)" = "$(sha256sum <holes | cut -d' ' -f1)" ]
    [ "$(client exec box ls /holes)" = holes ]
    client exec box rm /holes/holes
  done
  # GNU's own form is refused, as Docker refuses it.
  tar --format=gnu -S -c holes >gnu.tar
  run -1 client cp - box:/holes <gnu.tar
  [[ $output == *'unhandled tar header type 83'* ]]
}
