# COPY, ADD, WORKDIR, contexts and what is ignored.
load ../lib/engine
load ../lib/build
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }
setup() {
  context
  mkdir -p "$CTX/dir/sub"
  (cd "$CTX"; echo a >a.txt; echo b >b.txt; echo c >dir/c; echo d >dir/sub/d; chmod 755 a.txt; chmod 700 dir/sub; ln -s ../a.txt dir/link; touch -d @1000000000 a.txt)
}
tree() { in_image made "cd / && find $* | sort | xargs stat -c '%n %a %u:%g'"; }

@test "files, folders, patterns, links, trailing slashes" {
  dockerfile <<'D'
FROM busybox
RUN mkdir /real && ln -s /real /alias && echo old >/real/a.txt
COPY a.txt /file
COPY a.txt b.txt /folder/
COPY dir /copied
COPY *.txt /wild/
COPY d?r/s*/d /deep/name
COPY dir/link /followed
COPY a.txt /alias/
COPY ["b.txt", "/with space"]
WORKDIR /w
COPY a.txt .
COPY a.txt sub/
D
  built t=made
  run -0 tree file folder copied wild deep followed real w
  [ "$output" = "copied 755 0:0
copied/c 644 0:0
copied/link 777 0:0
copied/sub 700 0:0
copied/sub/d 644 0:0
deep 755 0:0
deep/name 644 0:0
file 755 0:0
folder 755 0:0
folder/a.txt 755 0:0
folder/b.txt 644 0:0
followed 755 0:0
real 755 0:0
real/a.txt 755 0:0
w 755 0:0
w/a.txt 755 0:0
w/sub 755 0:0
w/sub/a.txt 755 0:0
wild 755 0:0
wild/a.txt 755 0:0
wild/b.txt 644 0:0" ] || { echo "$output"; false; }
  run -0 in_image made 'cat /real/a.txt "/with space"; stat -c %Y /file; readlink /copied/link'
  [ "$output" = $'a\nb\n1000000000\n../a.txt' ]
  client rmi made
}

@test "owners and permissions" {
  dockerfile <<'D'
FROM busybox
ARG WHO=5
COPY --chown=7:8 dir /numbers
COPY --chown=nobody:wheel a.txt /names
COPY --chown=$WHO a.txt /uid
COPY --chmod=640 a.txt /octal
COPY --chmod=u=rwX,go=rX dir /symbolic
COPY --chmod=+x b.txt /plus
D
  built t=made
  run -0 tree numbers names uid octal symbolic plus
  [ "$output" = "names 755 65534:10
numbers 755 7:8
numbers/c 644 7:8
numbers/link 777 7:8
numbers/sub 700 7:8
numbers/sub/d 644 7:8
octal 640 0:0
plus 755 0:0
symbolic 755 0:0
symbolic/c 644 0:0
symbolic/link 777 0:0
symbolic/sub 755 0:0
symbolic/sub/d 644 0:0
uid 755 5:5" ] || { echo "$output"; false; }
  client rmi made
}

@test "parents, exclude, link, from" {
  dockerfile <<'D'
FROM busybox AS one
RUN mkdir -p /tree/deep && echo product >/tree/deep/file && chown -R 3:4 /tree && ln /tree/deep/file /tree/hard && rm /etc/group
FROM busybox
COPY --parents dir/sub/d a.txt /kept/
COPY --parents dir/./sub/d /pivot/
COPY --exclude=*.txt --exclude=sub . /most/
COPY --link a.txt /linked/here/
COPY --from=one /tree /tree
COPY --from=0 /tree/deep/file /etc/ /number/
COPY --from=busybox /etc/passwd /image
D
  built t=made
  run -0 tree kept pivot most linked tree number image
  [ "$output" = "image 644 0:0
kept 755 0:0
kept/a.txt 755 0:0
kept/dir 755 0:0
kept/dir/sub 700 0:0
kept/dir/sub/d 644 0:0
linked 755 0:0
linked/here 755 0:0
linked/here/a.txt 755 0:0
most 755 0:0
most/Dockerfile 644 0:0
most/dir 755 0:0
most/dir/c 644 0:0
most/dir/link 777 0:0
most/dir/sub 700 0:0
most/dir/sub/d 644 0:0
number 755 0:0
number/file 644 3:4
number/passwd 644 0:0
pivot 755 0:0
pivot/sub 700 0:0
pivot/sub/d 644 0:0
tree 755 3:4
tree/deep 755 3:4
tree/deep/file 644 3:4
tree/hard 644 3:4" ] || { echo "$output"; false; }
  client rmi made
}

@test "heredocs become files" {
  dockerfile <<'D'
FROM busybox
ENV NAME=world
COPY <<EOF /hello
hello $NAME
EOF
COPY <<'RAW' <<SECOND /both/
raw $NAME
RAW
second
SECOND
D
  built t=made
  run -0 in_image made 'cat /hello /both/RAW /both/SECOND; stat -c %a /hello'
  [ "$output" = $'hello world\nraw $NAME\nsecond\n644' ]
  client rmi made
}

@test "ADD: archives, files that are none, URLs, checksums" {
  (cd "$CTX"; chown 5:6 dir/c; tar -cf plain.tar dir; tar -czf packed.tgz dir; tar -cJf packed.txz dir; gzip -k b.txt)
  (cd "$CTX" && exec python3 -m http.server 8123 --bind 127.0.0.1 >"$BATS_TEST_TMPDIR/http" 2>&1 3>&-) &
  server=$!
  for _ in $(seq 100); do curl -sf http://127.0.0.1:8123/a.txt >/dev/null && break; sleep 0.1; done
  digest=$(sha256sum "$CTX/plain.tar" | cut -d' ' -f1)
  dockerfile <<D
FROM busybox
ADD plain.tar /tar
ADD packed.tgz packed.txz /several/
ADD b.txt.gz a.txt /plain/
ADD --unpack=false plain.tar /kept.tar
ADD http://127.0.0.1:8123/a.txt /url/
ADD --checksum=sha256:$digest http://127.0.0.1:8123/plain.tar /url.tar
ADD --unpack=true http://127.0.0.1:8123/packed.tgz /unpacked/
D
  run built t=made
  [ "$status" = 0 ] || { echo "$output"; kill $server; false; }
  printf 'FROM busybox\nADD --checksum=sha256:%064d http://127.0.0.1:8123/a.txt /x\n' 0 | dockerfile
  run built t=bad; [[ $output == *'digest mismatch'* ]] || { echo "$output"; kill $server; false; }
  printf 'FROM busybox\nADD http://127.0.0.1:8123/nosuch /x\n' | dockerfile
  run built t=bad; [[ $output == *'invalid response status 404'* ]] || { echo "$output"; kill $server; false; }
  kill $server
  run -0 in_image made 'stat -c "%n %a %u:%g" /tar/dir/c /several/dir/c /plain/* /kept.tar /url/a.txt /url.tar /unpacked/dir/c; stat -c %Y /url/a.txt'
  [ "$output" = "/tar/dir/c 644 5:6
/several/dir/c 644 5:6
/plain/a.txt 755 0:0
/plain/b.txt.gz 644 0:0
/kept.tar 644 0:0
/url/a.txt 600 0:0
/url.tar 600 0:0
/unpacked/dir/c 644 5:6
1000000000" ] || { echo "$output"; false; }
  client rmi made
}

@test "git repositories and URLs as contexts, and as what ADD takes" {
  command -v git >/dev/null || skip 'no git'
  (cd "$CTX" && export HOME=$BATS_TEST_TMPDIR && git init -q -b main . && git config user.email a@b && git config user.name n &&
    printf 'FROM busybox\nCOPY . /all\n' >Dockerfile && printf 'FROM busybox\nCOPY c /\n' >dir/Dockerfile && git add . && git commit -q -m one &&
    echo later >a.txt && git commit -q -a -m two && git tag v2)
  tar -C "$CTX" -czf "$BATS_TEST_TMPDIR/context.tgz" .
  (cd "$BATS_TEST_TMPDIR" && exec python3 -m http.server 8124 --bind 127.0.0.1 >/dev/null 2>&1 3>&-) & web=$!
  git daemon --reuseaddr --listen=127.0.0.1 --port=9419 --base-path="$BATS_TEST_TMPDIR" --export-all 3>&- >/dev/null 2>&1 & daemon=$!
  for _ in $(seq 100); do git ls-remote -q git://127.0.0.1:9419/ctx/.git >/dev/null 2>&1 && curl -sf -o /dev/null http://127.0.0.1:8124/context.tgz && break; sleep 0.1; done
  remote() { curl -sS --unix-socket "$ENGINE/sock" -X POST "http://x/build?t=made&remote=$(escape "$1")" | said; }
  one=$(remote git://127.0.0.1:9419/ctx/.git; in_image made 'cat /all/a.txt; ls -A /all | grep -c git || true')
  two=$(remote git://127.0.0.1:9419/ctx/.git#v2:dir; in_image made 'cat /c')
  bad=$(remote git://127.0.0.1:9419/ctx/.git#nosuch)
  tarball=$(remote http://127.0.0.1:8124/context.tgz; in_image made 'cat /all/a.txt')
  context
  printf 'FROM busybox\nADD git://127.0.0.1:9419/repo/.git#main /git\nADD --keep-git-dir=true git://127.0.0.1:9419/repo/.git#main /kept\nRUN cat /git/file; ls -A /git /kept\n' | dockerfile
  (mkdir "$BATS_TEST_TMPDIR/repo"; cd "$BATS_TEST_TMPDIR/repo" && git init -q -b main . && echo added >file && git add . && git -c user.email=a@b -c user.name=n commit -q -m x)
  added=$(built t=made)
  kill $web $daemon; pkill -P $daemon || true
  [[ $one == *$'\nlater\n0' ]] || { echo "$one"; false; }
  [[ $two == *$'\nc' ]] || { echo "$two"; false; }
  [[ $bad == *'error fetching: '*nosuch* ]] || { echo "$bad"; false; }
  [[ $tarball == *$'\nlater' ]] || { echo "$tarball"; false; }
  [[ $added == *$'added\n/git:\nfile\n\n/kept:\n.git\nfile'* ]] || { echo "$added"; false; }
  client rmi made
}

@test "what is ignored is not there" {
  printf '*.txt\n!b.txt\ndir/sub\n' >"$CTX/.dockerignore"
  printf 'FROM busybox\nCOPY . /all\n' | dockerfile
  built t=made
  run -0 in_image made 'find /all | sort'
  [ "$output" = $'/all\n/all/.dockerignore\n/all/Dockerfile\n/all/b.txt\n/all/dir\n/all/dir/c\n/all/dir/link' ]
  printf 'FROM busybox\nCOPY a.txt /\n' | dockerfile
  run -1 built; [[ $output == *'COPY failed: file not found in build context or excluded by .dockerignore: stat a.txt: file does not exist'* ]]
  echo '**' >"$CTX/Other.dockerignore"; printf 'FROM busybox\nCOPY b.txt /\n' | dockerfile Other
  run -1 built dockerfile=Other; [[ $output == *'stat b.txt: file does not exist'* ]]
  client rmi made
}

@test "nothing leads out of the context or the image" {
  ln -s /etc/passwd "$CTX/absolute"; ln -s ../../../../../../etc/passwd "$CTX/relative"; ln -s / "$CTX/rootdir"
  for source in absolute relative rootdir/etc/passwd ../../../etc/passwd; do
    printf 'FROM busybox\nCOPY %s /stolen\n' "$source" | dockerfile
    run -1 built; [[ $output == *'file does not exist'* || $output == *'forbidden path'* ]] || { echo "$source: $output"; false; }
  done
  printf 'FROM busybox\nRUN ln -s %s /out && ln -s /etc/passwd /over\nCOPY a.txt /out/\nCOPY a.txt /over\n' "$BATS_TEST_TMPDIR" | dockerfile
  built t=made
  [ ! -e "$BATS_TEST_TMPDIR/a.txt" ]
  run -0 in_image made "cat $BATS_TEST_TMPDIR/a.txt /etc/passwd"
  [ "$output" = $'a\na' ]
  # A tar that is made for it.
  python3 - "$BATS_TEST_TMPDIR/bad.tar" "$BATS_TEST_TMPDIR" <<'P'
import io, sys, tarfile
tar = tarfile.open(sys.argv[1], 'w')
def add(name, text=None, link=None):
    info = tarfile.TarInfo(name)
    if link: info.type, info.linkname = tarfile.SYMTYPE, link
    else: info.size = len(text)
    tar.addfile(info, io.BytesIO((text or '').encode()))
add('Dockerfile', 'FROM busybox\nCOPY . /all\n')
add('../../escaped', 'x'); add('out', link=sys.argv[2]); add('out/through', 'x')
tar.close()
P
  curl -sS --unix-socket "$ENGINE/sock" -X POST --data-binary "@$BATS_TEST_TMPDIR/bad.tar" 'http://x/build?q=1' >/dev/null
  [ ! -e "$BATS_TEST_TMPDIR/through" ] && [ ! -e "$ENGINE/escaped" ] && [ ! -e "$ENGINE/data/escaped" ]
  client rmi made
}

@test "bodies: compressed, text alone, broken; a small context in memory" {
  printf 'FROM busybox\nCOPY a.txt /\n' | dockerfile
  post() { curl -sS --unix-socket "$ENGINE/sock" -X POST --data-binary @- "http://x/build?$1" | said; }
  for filter in gzip bzip2 xz; do
    run -0 bash -c "tar -C '$CTX' -c . | $filter"
    tar -C "$CTX" -c . | $filter | post t=made | grep 'Successfully tagged made:latest'
  done
  printf 'FROM busybox\nRUN echo text alone\n' | post t=made | grep 'text alone'
  run post t=made < <(head -c 2000 /dev/urandom); [[ $output == *ERROR* ]]
  run post t=made < <(tar -C "$CTX" -c . | gzip | head -c 100); [[ $output == *ERROR*EOF* ]]
  run post t=made </dev/null; [[ $output == *'Cannot locate specified Dockerfile: Dockerfile'* ]]
  engine_halt TERM; mkdir -p "/dev/shm/${ENGINE##*/}"
  engine_launch --exec-root "/dev/shm/${ENGINE##*/}"
  head -c 100000 /dev/zero >"$CTX/large"; ln -s dir "$CTX/way"
  printf 'FROM busybox\nCOPY . /all\nRUN --mount=target=/ctx cat /ctx/way/c && test -s /ctx/large\n' | dockerfile
  run built t=made
  in_image made 'find /all | wc -l; cat /all/way/c; ls -l /all/large' >"$BATS_TEST_TMPDIR/all"
  engine_halt TERM; rm -rf "/dev/shm/${ENGINE##*/}"; engine_launch
  [ "$status" = 0 ] || { echo "$output"; false; }
  grep -x 11 "$BATS_TEST_TMPDIR/all"
  client rmi made
}

@test "named contexts: an image, a folder of the body" {
  mkdir -p "$CTX/.extra"; echo extra >"$CTX/.extra/file"
  dockerfile <<'D'
FROM base
COPY --from=extra file /from-folder
RUN --mount=from=extra,target=/m cat /m/file
COPY . /all
D
  run -0 built t=made 'contexts={"base":"image:busybox","extra":"folder:.extra"}'
  [[ $output == *extra* ]]
  run -0 in_image made 'cat /from-folder; ls -A /all | grep -c extra || true'
  [ "$output" = $'extra\n0' ]
  run -1 built 'contexts={"base":"ftp://x"}'; [[ $output == *'unsupported context source ftp://x for base'* ]]
  client rmi made
}
