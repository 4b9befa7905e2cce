# The cache, stages at the same time, builds that end early, an engine that is killed.
load ../lib/engine
load ../lib/build
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }
setup() { context; echo content >"$CTX/file"; }
cached() { build "$@" | said | grep -c 'Using cache'; }
id_of() { client image inspect --format '{{.Id}}' "$1"; }
idle() { # nothing of a build is left
  local i
  for i in $(seq 100); do
    [ -z "$(ls "$ENGINE/data/tmp" "$ENGINE/data/containers" "$ENGINE/run" | grep -v -e : -e '^$')" ] && return 0
    sleep 0.1
  done
  ls "$ENGINE/data/tmp" "$ENGINE/data/containers" "$ENGINE/run"; false
}
cache_rows() { curl -sS --unix-socket "$ENGINE/sock" 'http://x/system/df?type=build-cache' | jq -c '.BuildCache[]'; }
marks() { cat "$ENGINE/data/cache-mounts/"*/marks 2>/dev/null; }

@test "the second time all is cached and the image is the same; what changes is done again" {
  printf 'FROM busybox\nENV A=b\nRUN echo x >/x\nWORKDIR /w\nCOPY file .\nRUN cat file\nCMD ["y"]\n' | dockerfile
  built t=one
  first=$(id_of one)
  [ "$(cached t=one)" = 6 ]
  [ "$(id_of one)" = "$first" ]
  touch -d @5 "$CTX/file"
  [ "$(cached t=one)" = 6 ]
  chmod 600 "$CTX/file"
  [ "$(cached t=one)" = 3 ]
  echo other >"$CTX/file"
  [ "$(cached t=one)" = 3 ]
  [ "$(cached t=one nocache=1)" = 0 ]
  # What says nothing of files does not matter to them.
  sed -i 's/A=b/A=b\nLABEL l=m/' "$CTX/Dockerfile"
  run -0 built t=one; [[ $output == *'RUN echo x >/x'*$'\n ---> Using cache'* ]]
  client rmi one
}

@test "a new tag of what is there needs no work" {
  printf 'FROM busybox\nRUN echo tag\n' | dockerfile
  built t=one; built t=two t=two:other
  [ "$(id_of one)" = "$(id_of two:other)" ]
  client rmi one two two:other
}

@test "only what the target needs is built, in any order that fits" {
  dockerfile <<'D'
FROM busybox AS unused
RUN exit 1
FROM busybox AS late
COPY --from=early /x /y
FROM busybox AS early
RUN echo early >/x
FROM late AS last
RUN cat /y
D
  run -0 built t=one; [[ $output == *$'\nearly\n'* && $output != *unused* ]]
  run -1 built target=unused
  printf 'FROM busybox AS one\nCOPY --from=two /x /\nFROM busybox AS two\nCOPY --from=one /x /\n' | dockerfile
  run -1 built; [[ $output == *'circular dependency detected on stage: '* ]]
  client rmi one
}

@test "a trigger that copies from a stage nobody needs is an error, and no wait without end" {
  printf 'FROM busybox\nONBUILD COPY --from=other /etc/passwd /x\n' | dockerfile; built t=trigger
  printf 'FROM busybox AS other\nFROM trigger\n' | dockerfile
  run -1 timeout 20 bash -c "source '$BATS_TEST_DIRNAME/../lib/engine.bash'; source '$BATS_TEST_DIRNAME/../lib/build.bash'; CTX=$CTX; built"
  [[ $output == *'the stage other is not built for stage 1'* ]]
  printf 'FROM busybox AS other\nRUN --mount=from=other,target=/m true\n' | dockerfile
  run -1 built; [[ $output == *'circular dependency'* ]]
  client rmi trigger
}

@test "stages that do not need each other run at the same time" {
  # Each waits for what the other one makes.
  dockerfile <<'D'
FROM busybox AS one
RUN --mount=type=cache,id=meet,target=/m touch /m/one; for i in $(seq 200); do test -e /m/two && exit 0; sleep 0.1; done; exit 1
FROM busybox AS two
RUN --mount=type=cache,id=meet,target=/m touch /m/two; for i in $(seq 200); do test -e /m/one && exit 0; sleep 0.1; done; exit 1
FROM busybox
COPY --from=one /etc/passwd /1
COPY --from=two /etc/passwd /2
D
  built t=one
  client rmi one
}

@test "two builds share a step that both need; a locked cache is one step's at a time" {
  printf 'FROM busybox\nRUN --mount=type=cache,id=count,target=/m echo mark >>/m/marks; sleep 1\n' | dockerfile
  build t=one >"$BATS_TEST_TMPDIR/first" & build t=two >"$BATS_TEST_TMPDIR/second" &
  wait %1 %2
  [ "$(marks | grep -c mark)" = 1 ]
  [ "$(id_of one)" = "$(id_of two)" ]
  dockerfile <<'D'
FROM busybox AS one
RUN --mount=type=cache,id=alone,target=/m,sharing=locked mkdir /m/lock && sleep 0.5 && rmdir /m/lock
FROM busybox AS two
RUN --mount=type=cache,id=alone,target=/m,sharing=locked mkdir /m/lock && sleep 0.5 && rmdir /m/lock && :
FROM busybox
COPY --from=one /etc/passwd /1
COPY --from=two /etc/passwd /2
D
  built t=two
  client rmi one two
}

@test "stages that take nothing from the cache" {
  printf 'FROM busybox AS one\nRUN echo one\nFROM one AS two\nRUN echo two\n' | dockerfile
  built t=one
  [ "$(cached)" = 2 ]
  run -0 built nocachefilter=two t=one
  [ "$(grep -c 'Using cache' <<<"$output")" = 1 ]
  client rmi one
}

@test "steps that an image has done before, by its history" {
  printf 'FROM busybox\nENV A=b\nRUN date +%%N >/x; echo ran\nRUN echo second\n' | dockerfile
  built t=one; first=$(id_of one)
  builder_prune all=1
  run -0 built t=two 'cachefrom=["nosuch","one"]'
  [[ $output != *$'\nran\n'* ]]
  [ "$(grep -c 'Using cache' <<<"$output")" = 2 ]
  [ "$(client image inspect --format '{{json .RootFS.Layers}}' one)" = "$(client image inspect --format '{{json .RootFS.Layers}}' two)" ]
  builder_prune all=1
  sed -i 's/A=b/A=c/' "$CTX/Dockerfile"
  run -0 built t=two 'cachefrom=["one"]'; [[ $output == *$'\nran\n'* ]]
  client rmi one two
}

@test "events in place of texts" {
  printf 'FROM busybox AS base\nRUN echo out; echo err >&2\nfrom base\nCOPY file /x\nRUN exit 4\n' | dockerfile
  build events=1 >"$BATS_TEST_TMPDIR/rows"
  rows() { jq -c "$1" "$BATS_TEST_TMPDIR/rows"; }
  [ "$(rows 'select(.log) | .log | [.stream, .text]' | sort | tr -d '\n')" = '[1,"out\n"][2,"err\n"]' ]
  rows 'select(.step) | .step | [.id, .name, .state, .line]' | grep -Fx '[2,"[base 2/2] RUN echo out; echo err >&2","done",2]'
  rows 'select(.step) | .step | [.id, .name, .state]' | grep -Fx '[5,"[stage-1 3/3] RUN exit 4","failed"]'
  [ "$(rows 'select(.error) | .errorDetail | [.code, .step, .line]')" = '[4,5,5]' ]
  rows 'select(.error) | .errorDetail.excerpt' | grep -F '>>> RUN exit 4'
  rows 'select(.warning) | .warning.rule' | grep -F ConsistentInstructionCasing
  debug=$(rows 'select(.error) | .errorDetail.debug' | grep -o '[0-9a-f]\{12\}')
  run -0 client run --rm --entrypoint cat "$debug" /x; [ "$output" = content ]
  client rmi "$debug"
  [ "$(build check=1 events=1 | jq -c 'keys[0]' | sort -u)" = '"warning"' ]
}

@test "times that are given make the image the same everywhere" {
  printf 'FROM busybox\nWORKDIR /w/x\nCOPY file /deep/er/\nRUN echo y >y; mkdir z; ln -s y l\nENV A=b\n' | dockerfile
  built t=one source_date_epoch=1000000000
  [[ $(client image inspect --format '{{.Created}}' one) == 2001-09-09T01:46:40Z ]]
  [ "$(client history -q --no-trunc one | head -1)" = "$(id_of one)" ]
  first=$(id_of one)
  client rmi one; builder_prune all=1
  built t=one 'buildargs={"SOURCE_DATE_EPOCH":"1000000000"}'
  [ "$(id_of one)" = "$first" ]
  run -1 built source_date_epoch=x; [[ $output == *'invalid SOURCE_DATE_EPOCH: x'* ]]
  client rmi one
}

@test "a client that leaves ends its build, and what was made stays cached" {
  printf 'FROM busybox\nRUN echo before >/x\nRUN sleep 98761\n' | dockerfile
  tar -C "$CTX" -c . >"$BATS_TEST_TMPDIR/body"
  curl -sS -N --unix-socket "$ENGINE/sock" -X POST --data-binary "@$BATS_TEST_TMPDIR/body" http://x/build >"$BATS_TEST_TMPDIR/rows" 3>&- &
  client=$!
  for _ in $(seq 100); do pgrep -f 'sleep 98761' >/dev/null && break; sleep 0.1; done
  kill $client
  for _ in $(seq 100); do pgrep -f 'sleep 98761' >/dev/null || break; sleep 0.1; done
  run -1 pgrep -f 'sleep 98761'
  idle
  sed -i 's/98761/0/' "$CTX/Dockerfile"
  run -0 built t=one; [ "$(grep -c 'Using cache' <<<"$output")" = 1 ]
  client rmi one
}

@test "an engine that is killed leaves nothing behind, and the cache can be used" {
  printf 'FROM busybox\nRUN echo killed >/x\nCOPY file /\nRUN sleep 98762\n' | dockerfile
  build >"$BATS_TEST_TMPDIR/rows" 2>&1 3>&- &
  for _ in $(seq 100); do pgrep -f 'sleep 98762' >/dev/null && break; sleep 0.1; done
  engine_halt KILL; wait 2>/dev/null || true
  engine_launch
  for _ in $(seq 100); do pgrep -f 'sleep 98762' >/dev/null || break; sleep 0.1; done
  run -1 pgrep -f 'sleep 98762'
  idle
  sed -i 's/98762/0/' "$CTX/Dockerfile"
  [ "$(cached t=one)" = 2 ]
  client rmi one
}

@test "cache rows in df, and prune with filters" {
  client image prune -f; builder_prune all=1
  [ -z "$(cache_rows)" ]
  printf 'FROM busybox\nRUN head -c 100000 /dev/zero >/zeroes\nRUN --mount=type=cache,target=/c head -c 5000 /dev/zero >/c/x\n' | dockerfile
  built t=one
  [ "$(cache_rows | jq -c 'select(.Description | test("zeroes")) | [.Type, .Size, .Shared, .InUse, .UsageCount]')" = '["regular",100000,true,false,1]' ]
  [ "$(cache_rows | jq -c 'select(.Type == "exec.cachemount") | .Size')" = 5000 ]
  run -0 builder_prune 'filters={"type":["exec.cachemount"]}'
  [ "$(jq -c '[(.CachesDeleted | length), .SpaceReclaimed]' <<<"$output")" = '[1,5000]' ]
  [ -z "$(ls "$ENGINE/data/cache-mounts")" ]
  # What the image has stays until it goes.
  run -0 builder_prune; [ "$(jq .SpaceReclaimed <<<"$output")" = 0 ]
  in_image one 'test -s /zeroes'
  client rmi one
  run -0 builder_prune; [ "$(jq .SpaceReclaimed <<<"$output")" = 100000 ]
  [ -z "$(cache_rows)" ]
  [ "$(ls "$ENGINE/data/layers" | wc -l)" = 1 ]
  run builder_prune 'filters={"nosuch":["x"]}'; [[ $output == *"invalid filter 'nosuch'"* ]]
  run builder_prune keep-storage=x; [[ $output == *'expects an integer, got x'* ]]
}

@test "prune keeps what was used last, up to the storage to keep" {
  builder_prune all=1
  printf 'FROM busybox\nRUN head -c 100000 /dev/zero >/first\n' | dockerfile; built
  printf 'FROM busybox\nRUN head -c 200000 /dev/zero >/second\n' | dockerfile; built
  client image prune -f
  builder_prune 'keep-storage=250000&all=1'
  run -0 cache_rows
  [[ $output == *second* && $output != *first* ]]
  builder_prune 'all=1&filters={"until":["1h"]}'
  run -0 cache_rows; [[ $output == *second* ]]
  builder_prune all=1
}
