# wherry build: contexts, progress, outputs and what goes wrong. What the engine makes of a Dockerfile is in build.bats.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }
setup() {
  [ "$CLIENT" = wherry ] || skip "wherry's own command line"
  cd "$BATS_TEST_TMPDIR"
}
teardown() {
  local ids
  ids=$(client images -q --filter dangling=true)
  [ -z "$ids" ] || client rmi -f $ids >/dev/null
}

@test "a folder is sent without what .dockerignore leaves out" {
  mkdir -p ctx/src/deep ctx/node_modules/x ctx/docs/keep ctx/empty
  touch ctx/a ctx/src/b.c ctx/src/b.o ctx/src/deep/c.o ctx/node_modules/x/y ctx/docs/one.md ctx/docs/keep/two.md
  ln -s a ctx/link; ln ctx/a ctx/hard
  printf '# comment\nnode_modules\n**/*.o\ndocs\n!docs/keep\nDockerfile\n' >ctx/.dockerignore
  printf 'FROM busybox\nCOPY . /ctx\nRUN cd /ctx && find . | sort && readlink link\n' >ctx/Dockerfile
  run -0 client build --progress plain --no-cache ctx
  found=$(sed -n 's/^#[0-9]* [0-9.]* \([.0-9a].*\)/\1/p' <<<"$output")
  [ "$found" = "$(printf '%s\n' . ./.dockerignore ./a ./docs ./docs/keep ./docs/keep/two.md ./empty ./hard ./link ./src ./src/b.c ./src/deep a)" ]
  # An ignore file of the Dockerfile's own goes before the other.
  mv ctx/Dockerfile ctx/other; echo docs >ctx/other.dockerignore
  run -0 client build --progress plain -f ctx/other ctx
  [[ $output == *./node_modules/x/y* ]] && [[ $output != *./docs* ]]
}

@test "the same context is taken from the cache, also with a Dockerfile from elsewhere" {
  mkdir ctx; echo a >ctx/a
  printf 'FROM busybox\nCOPY . /c\nRUN ls -A /c\n' >elsewhere
  run -0 client build --progress plain -f elsewhere ctx
  [[ $output == *' a'* ]] && [[ $output != *dockerfile.* ]]
  touch -d 2001-01-01 ctx/a
  run -0 client build --progress plain -f elsewhere ctx
  [ "$(grep -c CACHED <<<"$output")" = 2 ]
  run -0 client build --progress plain -f - ctx <elsewhere
  [ "$(grep -c CACHED <<<"$output")" = 2 ]
  echo b >ctx/a
  run -0 client build --progress plain -f elsewhere ctx
  [ "$(grep -c CACHED <<<"$output")" = 0 ]
}

@test "standard input: a Dockerfile, a tar, a compressed tar with another name" {
  run -0 client build -q - <<<'FROM busybox'
  [ "$output" = "$(client image inspect --format '{{.Id}}' busybox)" ]
  mkdir ctx; echo hello >ctx/f; printf 'FROM busybox\nCOPY f /f\n' >ctx/Dockerfile; printf 'FROM busybox\nCOPY f /g\n' >ctx/Other
  id=$(tar -C ctx -c . | client build -q -)
  [ "$(client run --rm "$id" cat /f)" = hello ]
  id=$(tar -C ctx -cz . | client build -q -f Other -)
  [ "$(client run --rm "$id" cat /g)" = hello ]
  run -1 client build -f - - </dev/null
  [ "$output" = "unable to prepare context: invalid argument: can't use stdin for both build context and dockerfile" ]
}

@test "a git repository: branch, folder, and nothing of it left" {
  command -v git >/dev/null || skip 'no git'
  git init -q -b main repo; cd repo; git config user.email a@b; git config user.name a
  mkdir sub; printf 'FROM busybox\nCOPY . /c\n' >Dockerfile; cp Dockerfile sub; echo main >sub/f; git add .; git commit -qm one
  git checkout -q -b other; echo other >sub/f; git commit -qam two; git update-server-info
  cd ..
  python3 -m http.server --bind 127.0.0.1 0 >port 2>&1 3>&- & server=$!
  for _ in $(seq 100); do port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' port); [ -n "$port" ] && break; sleep 0.05; done
  url=http://127.0.0.1:$port/repo/.git
  mkdir temporary; export TMPDIR=$PWD/temporary
  one=$(client build -q "$url#main:sub"); two=$(client build -q "$url#other")
  run -1 client build "$url#nosuch"
  [[ $output == *"unable to 'git clone' to temporary context directory"* ]]
  kill $server
  [ "$(client run --rm "$one" sh -c 'cat /c/f; ls -A /c')" = "$(printf 'main\nDockerfile\nf')" ]
  [ "$(client run --rm "$two" cat /c/sub/f)" = other ]
  [ -z "$(ls -A temporary)" ]
}

@test "URLs: a Dockerfile and a tar are fetched by the engine" {
  mkdir served; printf 'FROM busybox\nRUN echo fetched\n' >served/Plain
  mkdir ctx; echo inside >ctx/f; printf 'FROM busybox\nCOPY f /f\n' >ctx/Dockerfile; tar -C ctx -czf served/ctx.tar.gz .
  python3 -m http.server --bind 127.0.0.1 --directory served 0 >port 2>&1 3>&- & server=$!
  for _ in $(seq 100); do port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' port); [ -n "$port" ] && break; sleep 0.05; done
  run client build --progress plain http://127.0.0.1:$port/Plain
  plain=$status; said=$output
  run client build -q http://127.0.0.1:$port/ctx.tar.gz
  tarred=$status; id=$output
  run client build http://127.0.0.1:$port/nosuch
  kill $server
  [ "$plain" = 0 ] && [[ $said == *' fetched'* ]]
  [ "$tarred" = 0 ] && [ "$(client run --rm "$id" cat /f)" = inside ]
  [ "$status" = 1 ] && [[ $output == *nosuch* ]]
  run -1 client build -f - http://127.0.0.1:$port/Plain </dev/null
  [[ $output == *'needs a context on this machine' ]]
}

@test "named contexts" {
  mkdir ctx lib; echo one >lib/f; echo two >lib/g; echo g >lib/.dockerignore
  printf 'FROM base\nCOPY --from=lib . /l\nCOPY . /c\nRUN ls -A /l /c\n' >ctx/Dockerfile
  run -0 client build --progress plain --build-context lib=lib --build-context base=docker-image://busybox ctx
  [[ $output == *' f'* ]] && [[ $output == *' Dockerfile'* ]] && [[ $output != *' g'* ]] && [[ $output != *context.* ]]
  run -1 client build --build-context lib=nosuch ctx
  [ "$output" = 'failed to get build context lib: stat nosuch: no such file or directory' ]
  run -1 client build --build-context lib=oci-layout://x ctx
  [[ $output == *'is not supported' ]]
}

@test "contexts that are none" {
  mkdir ctx
  run -1 client build nosuch
  [ "$output" = 'unable to prepare context: path "nosuch" not found' ]
  run -1 client build ctx
  [ "$output" = "unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat $PWD/ctx/Dockerfile: no such file or directory" ]
  echo FROM busybox >ctx/dockerfile; client build -q ctx
  run -1 client build ctx/dockerfile
  [ "$output" = 'unable to prepare context: context must be a directory: ctx/dockerfile' ]
  printf '!\n' >ctx/.dockerignore
  run -1 client build ctx
  [ "$output" = 'unable to prepare context: .dockerignore: illegal exclusion pattern: "!"' ]
}

@test "build arguments, labels, target, secrets" {
  cat >Dockerfile <<'X'
FROM busybox AS one
ARG given
ARG inherited
ARG other=default
RUN --mount=type=secret,id=file --mount=type=secret,id=variable --mount=type=secret,id=both cat /run/secrets/*; echo "$given $inherited $other"
FROM busybox
RUN exit 1
X
  printf 'from a file' >secret
  export inherited=env VARIABLE=from-env both=implied
  run -0 client build --progress plain --target one -t args --label a=b --label c --build-arg given=1 --build-arg inherited --build-arg missing \
    --secret id=file,src=secret --secret id=variable,env=VARIABLE --secret id=both .
  [[ $output == *'impliedfrom a filefrom-env1 env default'* ]]
  [ "$(client image inspect --format '{{json .Config.Labels}}' args)" = '{"a":"b","c":""}' ]
  run -1 client build --secret src=x .
  [ "$output" = 'could not parse secrets: secret needs an id: src=x' ]
  run -1 client build --secret id=x,src=nosuch .
  [[ $output == 'could not parse secrets: open nosuch: no such file or directory' ]]
  run -1 client build --secret x .
  [ "$output" = "could not parse secrets: invalid field 'x' must be a key=value pair" ]
  head -c 40000 /dev/zero | tr '\0' x >large
  run -1 client build --secret id=x,src=large .
  [ "$output" = 'secrets of more than 30 KiB together are not supported' ]
  head -c 30000 large >fits; printf 'FROM busybox\nRUN --mount=type=secret,id=fits wc -c </run/secrets/fits\n' >Dockerfile
  run -0 client build --progress plain --secret id=fits .
  [[ $output == *' 30000'* ]]
  client rmi args
}

@test "a failing step: its last lines, the place, and a shell to look around" {
  printf 'FROM busybox\nRUN echo kept >/kept\nRUN echo one; echo two >&2; exit 7\n' >Dockerfile
  run -1 client build .
  [[ $output == *' > [3/3] RUN echo one; echo two >&2; exit 7:'* ]]
  [[ $output == *$'Dockerfile:3\n--------------------\n   1 |     FROM busybox\n   2 |     RUN echo kept >/kept\n   3 | >>> RUN echo one'* ]]
  [[ $output == *'returned a non-zero code: 7' ]]
  look=$(sed -n 's/^To look around where it failed: wherry //p' <<<"$output")
  [ "$(client ${look/-it/} -c 'cat /kept')" = kept ]
  printf 'FROM busybox\n\nRUNN true\n' >Dockerfile
  run -1 client build .
  [[ $output == *'   3 | >>> RUNN true'* ]]
  [[ $output == *'ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUNN (did you mean RUN?)' ]]
}

@test "checks" {
  printf 'FROM busybox as one\nCMD echo\n' >Dockerfile
  run -1 client build --check .
  [ "${lines[0]}" = 'Check complete, 2 warnings have been found!' ]
  [ "${lines[1]}" = 'WARNING: FromAsCasing - https://docs.docker.com/go/dockerfile/rule/from-as-casing/' ]
  [ "${lines[2]}" = "'as' and 'FROM' keywords' casing do not match" ]
  [ "${lines[5]}" = '   1 | >>> FROM busybox as one' ]
  run -0 client build .
  [[ $output == *' - FromAsCasing: '*' (line 1)'* ]]
  printf '# check=skip=FromAsCasing\nFROM busybox as one\nCMD ["echo"]\n' >Dockerfile
  run -0 client build --call check .
  [ "$output" = 'Check complete, no warnings found.' ]
  printf '# check=error=true\nFROM busybox as one\nCMD echo\n' >Dockerfile
  run -1 client build .
  [[ $output == *'ERROR: failed to solve: lint violation found for rules: FromAsCasing, JSONArgsRecommended' ]]
  printf '# syntax=other/frontend:1\nFROM busybox\n' >Dockerfile
  run -1 client build .
  [[ $output == *'the frontend other/frontend:1 is not supported: a syntax line may name docker/dockerfile' ]]
  printf '# syntax=docker.io/docker/dockerfile:1.7\nFROM busybox\n' >Dockerfile
  run -0 client build .
  run -1 client build --call outline .
  [[ $output == *'is not supported'* ]]
}

@test "what it writes: plain lines, rows of JSON, nothing but the id" {
  printf 'FROM busybox\nRUN echo hello; echo bye\n' >Dockerfile
  run -0 --separate-stderr client build --progress plain -t out:1 .
  [ -z "$output" ]
  id=$(client image inspect --format '{{.Id}}' out:1)
  [ "$(sed 's/ [0-9.]*s$/ Ns/; s/ [0-9]*\.[0-9]* / T /; s/: .*kB/: N/' <<<"$stderr")" = "$(cat <<X
#1 [internal] load build context
#1 transferring context: N done
#1 DONE Ns

#2 [1/2] FROM busybox
#2 DONE Ns

#3 [2/2] RUN echo hello; echo bye
#3 T hello
#3 T bye
#3 DONE Ns

#4 exporting to image
#4 writing image $id done
#4 naming to out:1 done
#4 DONE Ns
X
)" ]
  run -0 --separate-stderr client build --progress rawjson .
  python3 -c 'import json,sys; [json.loads(line) for line in sys.stdin]' <<<"$stderr"
  [[ $stderr == *'"state":"cached"'* || $stderr == *'"state": "cached"'* ]]
  run -0 --separate-stderr client build -q .
  [ "$output" = "$id" ] && [ -z "$stderr" ]
  run -0 --separate-stderr env BUILDKIT_PROGRESS=quiet bash -c '. "$1"; client build .' _ "$BATS_TEST_DIRNAME/../lib/engine.bash"
  [ -z "$output$stderr" ]
  run -1 client build -q --progress plain .
  [ "$output" = 'progress=plain and quiet cannot be used together' ]
  client rmi out:1
}

@test "a terminal: lines that are drawn again, in its width, with and without colours" {
  printf 'FROM busybox\nRUN echo a line of output; echo one more; sleep 0.4\n' >Dockerfile
  on_terminal() { script -qec "stty cols 50 rows 10; WHERRY_HOST=unix://$ENGINE/sock $1 $PROGRAMS/wherry build --no-cache ." /dev/null; }
  screen=$(on_terminal '' | cat -v)
  [[ $screen == *'[+] Building '*'s (4/4) FINISHED'* ]]
  [[ $screen == *' => => # a line of output'* ]] && [[ $screen == *'^[[3'* ]] && [[ $screen == *'^[[34m'* ]]
  # No line is wider than the terminal.
  [ "$(on_terminal NO_COLOR=1 | tr -d '\r' | sed 's/\x1b\[[0-9]*[A-Z]//g; s/…/./g' | awk '{if (length($0) > widest) widest = length($0)} END {print widest <= 50}')" = 1 ]
  [[ $(on_terminal NO_COLOR=1 | cat -v) != *'^[[34m'* ]]
  [[ $(on_terminal TERM=dumb | cat -v) == *'#2 [2/2]'* || $(on_terminal TERM=dumb | cat -v) == *'#3 [2/2]'* ]]
}

@test "outputs: a folder, a tar, an archive, and files about the image" {
  mkdir ctx; echo hello >ctx/f; printf 'FROM scratch\nCOPY f /d/f\n' >ctx/Dockerfile
  before=$(client images -aq | sort)
  client build -o out ctx
  [ "$(cd out && find . | sort | tr '\n' ' ')" = '. ./d ./d/f ' ] && [ "$(cat out/d/f)" = hello ]
  client build -q -o type=tar,dest=o.tar ctx
  [ "$(tar tf o.tar | sort | tr '\n' ' ')" = 'd/ d/f ' ]
  [ "$(client build --progress quiet -o - ctx | tar xO d/f)" = hello ]
  [ "$(client images -aq | sort)" = "$before" ]
  [ -z "$(client ps -aq)" ]
  client build -q -t archived --output type=oci,dest=a.tar --iidfile id --metadata-file meta ctx
  tar tf a.tar | grep -qx index.json; tar tf a.tar | grep -qx manifest.json
  [ "$(cat id)" = "$(client image inspect --format '{{.Id}}' archived)" ]
  [ "$(python3 -c 'import json; m = json.load(open("meta")); print(m["containerimage.config.digest"], m["image.name"])')" = "$(cat id) archived" ]
  client rmi archived
  client build -q -o type=image,name=named:1 ctx; client rmi named:1
  for wrong in type=local type=nosuch dest=x type=image,dest=x type=tar,compression=zstd type=registry; do
    run -1 client build -o $wrong ctx
    [[ $output == *output* || $output == *'tag is needed'* ]]
  done
}

@test "flags that ask for what there is not are refused" {
  echo FROM busybox >Dockerfile
  for flag in --squash --compress --ssh=default --attest=type=sbom --annotation=a=b --cache-to=x --allow=x --sbom=true --provenance=mode=max \
    --isolation=hyperv --builder=other --platform=linux/amd64,linux/arm64 --cache-from=type=local,src=x --disable-content-trust=false; do
    run client build "$flag" .
    [ "$status" -ne 0 ] && [[ $output == *'not supported'* || $output == *'no builder'* || $output == *'one platform'* ]]
  done
  client build -q --provenance=false --sbom=false --builder default --isolation default --rm=false --force-rm --load .
  run -125 client build -t BAD .
  [[ $output == 'invalid argument "BAD" for "-t, --tag" flag: invalid reference format: repository name (library/BAD) must be lowercase'* ]]
  run -125 client build --ulimit x .
  [[ $output == 'invalid argument "x" for "--ulimit" flag: invalid ulimit argument: x'* ]]
}

@test "an interrupt ends the build, and the engine goes on" {
  local seconds=98$RANDOM # tells the step's process from any other
  printf "FROM busybox\nRUN echo sta''rted; sleep $seconds\n" >Dockerfile
  run -0 at_terminal 24 80 build --progress plain . <<'EOF'
expect started
send \x03
end
EOF
  [ "$output" = 'signal 2' ]
  # Nothing runs any more, and what was there is there.
  for _ in $(seq 200); do pgrep -f "^sleep $seconds" >/dev/null || break; sleep 0.05; done
  run ! pgrep -f "^sleep $seconds"
  printf 'FROM busybox\nRUN echo fine\n' >Dockerfile
  run -0 client build .
}

@test "builder prune and du; the cache in system df" {
  client builder prune -af >/dev/null
  printf 'FROM busybox\nRUN head -c 1000000 /dev/zero >/f\n' >Dockerfile
  client build -q -t cached .
  run -0 client builder du
  [ "${lines[0]%% *}" = ID ] && [[ $output == *$'Total:\t\t'*MB ]]
  run -0 client builder du --verbose --filter type=regular
  [[ $output == *$'Description:\t'*'head -c 1000000'* ]]
  run -1 client builder du --filter nosuch=1
  [ "$output" = "invalid filter 'nosuch'" ]
  [[ $(client system df --format '{{.Type}} {{.TotalCount}}' | tail -n 1) == 'Build Cache '[1-9]* ]]
  run -0 client system df -v
  [[ $output == *'CACHE ID'*'CACHE TYPE'* ]]
  run -0 client builder prune -a <<<n
  [ "$output" = 'WARNING! This will remove all build cache. Are you sure you want to continue? [y/N] ' ]
  run -0 client builder prune -af
  [ "${lines[0]}" = 'Deleted build cache objects:' ] && [[ ${lines[-1]} == 'Total reclaimed space: '* ]]
  run -0 client builder prune -f --keep-storage 1gb --filter until=24h
  [ "$output" = 'Total reclaimed space: 0B' ]
  client rmi cached
}
