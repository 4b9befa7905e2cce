# wherryd --storage-max: what comes in is refused where images and containers would take more.
load ../lib/engine
load ../lib/registry
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox && engine_halt TERM
  # Room for busybox, plain and unpacked, and for some 8 MB more.
  local size; size=$(du -sb "$ENGINE/data/layers" "$ENGINE/data/content" | awk '{sum += $1} END {print sum}')
  echo $((size + 8000000)) >"$ENGINE/max"
  engine_launch --storage-max "$(cat "$ENGINE/max")"
  mkdir "$ENGINE/files"
  registry_start OPEN
}
teardown_file() { registries_stop; engine_stop; }
teardown() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
  rm -f "$ENGINE"/files/*
}

# SIZE: an archive of one file of so many bytes that do not compress
archive() { head -c "$1" /dev/urandom >"$ENGINE/files/file"; tar -C "$ENGINE/files" -c file; }
entries() { ls "$ENGINE/data/layers" "$ENGINE/data/content/sha256" "$ENGINE/data/tmp"; }

@test "an import within the limit is taken, one beyond it refused with what to do, and leaves nothing" {
  archive 1000000 | client import - small
  local before; before=$(entries)
  archive 6000000 >"$BATS_TEST_TMPDIR/big.tar"
  run -1 client import "$BATS_TEST_TMPDIR/big.tar" big
  [[ $output == *'storage limit (--storage-max '*'MB): images and containers take '*', and at least '*' more would pass it: free space with wherry image prune --all (frees about '*'MB)'*'; see wherry system df --explain'* ]]
  [ "$(entries)" = "$before" ]
  run -1 client image inspect big
  # Doing what it says makes the room.
  client rmi small
  archive 3500000 | client import - fits
  client rmi fits
}

@test "a load is refused in the same way, and the plain and the compressed bytes both count" {
  archive 3500000 | client import - fits
  client save -o "$BATS_TEST_TMPDIR/fits.tar" fits
  client rmi fits
  archive 3500000 | client import - other
  run -1 client load -i "$BATS_TEST_TMPDIR/fits.tar"
  [[ $output == *'storage limit (--storage-max '* ]]
  client rmi other
  client load -i "$BATS_TEST_TMPDIR/fits.tar"
  client rmi fits
}

@test "a pull is refused before its layers are fetched, and goes once there is room" {
  archive 3500000 | client import - "$OPEN/pulled"
  client push -q "$OPEN/pulled"
  client rmi "$OPEN/pulled"
  archive 2500000 | client import - other
  local before; before=$(entries)
  run -1 client pull "$OPEN/pulled"
  [[ $output == *'storage limit (--storage-max '*'wherry image prune --all'* ]]
  [[ $output != *'Download complete'* ]]
  [ "$(entries)" = "$before" ]
  client rmi other
  client pull -q "$OPEN/pulled"
  # What is there already needs no room.
  archive 200000 | client import - filler
  client pull -q "$OPEN/pulled"
  client rmi "$OPEN/pulled" filler
}

@test "what containers and their logs take counts, and a commit is refused" {
  client run --name box busybox sh -c 'head -c 4500000 /dev/urandom >/file; head -c 400000 /dev/zero | tr "\0" "x"'
  run -1 client commit box committed
  [[ $output == *'storage limit (--storage-max '*'wherry container prune (frees about '* ]]
  run -1 client image inspect committed
  # Starting is never refused: what a container writes cannot be bounded.
  client start box
  client rm -f box
  client run --name box busybox sh -c 'head -c 1000000 /dev/urandom >/file'
  client commit box committed
  client rm box && client rmi committed
}

@test "several at once do not pass it together" {
  local i
  for i in 1 2 3 4; do archive 1500000 >"$BATS_TEST_TMPDIR/$i.tar"; done
  for i in 1 2 3 4; do client import "$BATS_TEST_TMPDIR/$i.tar" "at-once-$i" >/dev/null 2>&1 3>&- & done
  wait
  local size; size=$(du -sb "$ENGINE/data/layers" "$ENGINE/data/content" | awk '{sum += $1} END {print sum}')
  [ "$size" -le $(($(cat "$ENGINE/max") + 100000)) ]
  local count; count=$(client images -q --filter 'reference=at-once-*' | wc -l)
  [ "$count" -ge 1 ] && [ "$count" -le 3 ]
  client rmi $(client images -q --filter 'reference=at-once-*') >/dev/null
}

@test "system df and the API tell how it stands" {
  [ "$CLIENT" = wherry ] || skip 'docker does not know of it'
  client run -d --name box busybox sleep 600
  run -0 client system df
  [[ $output == *'Storage limit: '*' of '*' used'*'what containers write is counted, and cannot be bounded.'* ]]
  run -0 curl -fs --unix-socket "$ENGINE/sock" http://x/v1.50/system/df
  [[ $output =~ \"Storage\":\{\"Max\":$(cat "$ENGINE/max"),\"Used\":[0-9]+,\"Images\":[0-9]+,\"Containers\":[0-9]+\} ]]
}

@test "without a limit nothing is told, and a bad one is refused" {
  [ "$CLIENT" = wherry ] || skip 'once is enough'
  run ! "$PROGRAMS/wherryd" --validate --storage-max many
  run ! "$PROGRAMS/wherryd" --validate --storage-max -1
  echo '{"storage-max": "10GB"}' >"$BATS_TEST_TMPDIR/daemon.json"
  run -0 "$PROGRAMS/wherryd" --validate --config-file "$BATS_TEST_TMPDIR/daemon.json"
  engine_halt TERM && engine_launch
  run -0 client system df
  [[ $output != *'Storage limit'* ]]
}
