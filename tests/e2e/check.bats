# wherry system check: what database, disk and kernel disagree on (ours alone).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  [ "$CLIENT" = wherry ] || return 0
  engine_start && image_busybox
}
teardown_file() { [ "$CLIENT" != wherry ] || engine_stop; }
setup() { [ "$CLIENT" = wherry ] || skip 'docker has no such command'; }
teardown() {
  [ "$CLIENT" = wherry ] || return 0
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -fv $ids >/dev/null
}

ID=$(printf 'ab%.0s' {1..32})
findings() { client system check --no-trunc --format '{{.Kind}} {{.Name}} {{.Repair}}' "$@" 2>/dev/null; }
cgroup_folder() {
  local parent; parent=$(cat "$ENGINE/bridge")
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo "/sys/fs/cgroup/$parent"; else echo "/sys/fs/cgroup/freezer/$parent"; fi
}
layer_of() { client image inspect -f '{{index .RootFS.Layers 0}}' "$1"; }

@test "where all is well there is nothing to tell" {
  client run -d --name box -v kept:/kept busybox sleep 600
  client create --name other busybox true
  run -0 client system check
  [ "$output" = 'KIND      NAME      SIZE      PROBLEM   REPAIR' ]
  run -0 client system check --repair --format json
  [ "$output" = '' ]
  [ "$(client exec box echo alive)" = alive ]
  run ! client system check --format '{{.Nothing}}'
}

@test "what nothing refers to is found, told with its size, and removed by --repair alone" {
  client run -d --name box busybox sleep 600
  mkdir -p "$ENGINE/data/layers/$ID" "$ENGINE/data/containers/$ID/upper" "$ENGINE/run/$ID" "$(cgroup_folder)/$ID"
  head -c 5000 /dev/zero >"$ENGINE/data/layers/$ID/file"
  head -c 3000 /dev/zero >"$ENGINE/data/content/sha256/$ID"
  head -c 2000 /dev/zero >"$ENGINE/data/containers/$ID/upper/file"
  echo left >"$ENGINE/data/tmp/blob-999999"
  wanted="run $ID end it and remove its files
cgroup /$(cat "$ENGINE/bridge")/$ID remove it
container $ID remove its files
layer sha256:$ID remove it
blob sha256:$ID remove it
temporary blob-999999 remove it"
  run -1 findings
  [ "$output" = "$wanted" ]
  run -1 --separate-stderr client system check
  [ "$stderr" = '6 problems, 6 of which can be repaired: wherry system check --repair' ]
  [[ $output =~ layer\ +abababababab\ +5kB\ +'no row of the database has it'\ +'remove it' ]]
  [[ $output =~ blob\ +abababababab\ +3kB\ +'nothing refers to it'\ +'remove it' ]]
  [ -e "$ENGINE/data/layers/$ID/file" ] # a look changes nothing
  run -0 findings --repair
  [ "$output" = "$(sed -E 's/^(\w+ \S+) /\1 done: /' <<<"$wanted")" ]
  run -0 findings
  [ "$output" = '' ]
  for path in "$ENGINE/data/layers/$ID" "$ENGINE/data/content/sha256/$ID" "$ENGINE/data/containers/$ID" \
    "$ENGINE/run/$ID" "$ENGINE/data/tmp/blob-999999" "$(cgroup_folder)/$ID"; do
    [ ! -e "$path" ] || { echo "$path"; false; }
  done
  [ -z "$(ls "$ENGINE/data/tmp")" ]
  [ "$(client exec box echo alive)" = alive ]
}

@test "a layer that has lost its folder is unpacked again, byte for byte" {
  client create --name box busybox true
  layer=$ENGINE/data/layers/$(layer_of busybox | cut -d: -f2)
  state() { (cd "$layer" && find . -printf '%p %y %m %U %l %s %T@\n' | grep -v '^\. ' | sort; cat bin/busybox) | sha256sum; }
  before=$(state)
  rm -rf "$layer"
  run -1 findings
  [ "$output" = "layer $(layer_of busybox) unpack it again" ]
  run -0 findings --repair
  [ "$(state)" = "$before" ]
  [ "$(stat -c %a "$layer")" = 755 ]
  [ "$(client run --rm busybox echo works)" = works ]
}

@test "blobs that are gone: a config is written again, a layer's has to come anew" {
  id=$(client image inspect -f '{{.Id}}' busybox)
  rm "$ENGINE/data/content/sha256/${id#sha256:}"
  run -1 findings
  [ "$output" = "image $id write it again" ]
  run -0 findings --repair
  client save busybox >"$BATS_TEST_TMPDIR/saved.tar"
  echo unique >"$BATS_TEST_TMPDIR/file"
  tar -C "$BATS_TEST_TMPDIR" -c file | client import - lost
  # Its layer's blob is the newest: a plain tar.
  blob=$(find "$ENGINE/data/content/sha256" -type f -printf '%T@ %s %p\n' | sort -n | awk '$2 > 9000 {path = $3} END {print path}')
  rm "$blob"
  run -1 findings --repair
  [[ $output == "layer $(layer_of lost) by hand: remove its images (wherry rmi) and pull or build them again" ]]
  client rmi lost
  run -0 findings
}

@test "a layer that was built here needs no blob, and what a build keeps is in use" {
  printf 'FROM busybox\nRUN echo built >/built\n' | client build -q -t built - >/dev/null
  run -0 findings --repair
  [ "$output" = '' ]
  layer=$(client image inspect -f '{{index .RootFS.Layers 1}}' built)
  client rmi built
  run -0 findings # the cache has it
  [ -d "$ENGINE/data/layers/${layer#sha256:}" ]
  rm -rf "$ENGINE/data/layers/${layer#sha256:}"
  run -1 findings --repair
  [ "$output" = "layer $layer by hand: remove its images (wherry rmi) and pull or build them again" ]
  client builder prune -af >/dev/null
  run -0 findings
}

@test "volumes: data without a record is taken in, a record without data forgotten unless it is used" {
  mkdir -p "$ENGINE/data/volumes/strange/_data"
  echo data >"$ENGINE/data/volumes/strange/_data/file"
  client volume create gone-free; client volume create gone-used
  client create --name box -v gone-used:/used busybox true
  rm -rf "$ENGINE/data/volumes/gone-free" "$ENGINE/data/volumes/gone-used"
  run -1 findings --repair
  [ "$output" = 'volume gone-free done: forget it
volume gone-used by hand: remove its containers, then it
volume strange done: take it in as a volume, with its data' ]
  [ "$(client run --rm -v strange:/strange busybox cat /strange/file)" = data ]
  client rm box
  run -0 findings --repair
  client volume rm strange kept >/dev/null 2>&1 || client volume rm strange
}

@test "a container without its files, and one that only keeps layers" {
  client create --name box busybox true
  id=$(client inspect -f '{{.Id}}' box)
  rm -rf "$ENGINE/data/containers/$id"
  run -1 findings --repair
  [ "$output" = "container $id by hand: remove it (wherry rm)" ]
  client rm box
  run -0 findings
  engine_halt TERM
  python3 - "$ENGINE/data/wherry.db" "$ID" "$(layer_of busybox)" <<-'END'
	import sqlite3, sys
	with sqlite3.connect(sys.argv[1]) as database:
	    database.execute('INSERT INTO container_layers VALUES (?, ?)', sys.argv[2:])
	END
  engine_launch
  run -1 findings
  [ "$output" = "container $ID forget it" ]
  run -0 findings --repair
  run -0 findings
}

@test "what comes in meanwhile is left alone" {
  head -c 300000 /dev/urandom >"$BATS_TEST_TMPDIR/file"
  tar -C "$BATS_TEST_TMPDIR" -cf "$BATS_TEST_TMPDIR/image.tar" file
  mkfifo "$BATS_TEST_TMPDIR/pipe"
  client import - slow <"$BATS_TEST_TMPDIR/pipe" >"$BATS_TEST_TMPDIR/loaded" 3>&- &
  local loader=$!
  exec 7>"$BATS_TEST_TMPDIR/pipe"
  head -c 100000 "$BATS_TEST_TMPDIR/image.tar" >&7
  mkdir "$ENGINE/data/layers/$ID"
  # The engine has begun to read once it has a folder for it.
  until [ -n "$(ls "$ENGINE/data/tmp")" ]; do :; done
  run -0 --separate-stderr client system check --repair
  [[ $stderr == 'An image is coming in: layers and blobs that nothing refers to were left out.' ]]
  [ -e "$ENGINE/data/layers/$ID" ]
  tail -c +100001 "$BATS_TEST_TMPDIR/image.tar" >&7
  exec 7>&-
  wait "$loader"
  grep -q sha256: "$BATS_TEST_TMPDIR/loaded"
  client rmi slow
  run -0 findings --repair
  [ "$output" = "layer sha256:$ID done: remove it" ]
}

@test "the nftables table that someone has flushed is loaded again" {
  client run -d --name box -p 127.0.0.1:18345:80 busybox sleep 600
  run -0 findings
  nft flush ruleset
  run -1 findings
  [[ $output == 'rules '*' load it again' ]]
  run -0 findings --repair
  nft list ruleset | grep -q 18345
}

@test "a link of no container is found at our bridge" {
  client run -d --name box busybox sleep 600
  ip link add vethfefefe0 type veth peer name wtpeer0
  ip link set vethfefefe0 master "$(cat "$ENGINE/bridge")"
  run -1 findings
  [ "$output" = 'link vethfefefe0 remove it' ]
  run -0 findings --repair
  run ! ip link show vethfefefe0
  [ "$(client exec box cat /sys/class/net/eth0/operstate)" = up ]
}

@test "the API answers with all of it" {
  mkdir -p "$ENGINE/data/layers/$ID"
  run -0 curl -fs --unix-socket "$ENGINE/sock" http://x/v1.50/system/check
  [ "$output" = '{"Findings":[{"Kind":"layer","Name":"sha256:'$ID'","Size":0,"Problem":"no row of the database has it","Repair":"remove it","Repairable":true,"Repaired":false,"Error":""}],"Partial":false}' ]
  run -0 curl -fs --unix-socket "$ENGINE/sock" -X POST http://x/v1.50/system/check
  [[ $output == *'"Repaired":true'* ]]
}

@test "containers that come and go are never mistaken for what is left" {
  local i worker
  for worker in 1 2 3; do
    (for i in 1 2 3 4 5 6; do client run --rm -v "coming$worker:/v" busybox true; done) >"$BATS_TEST_TMPDIR/$worker" 2>&1 3>&- &
  done
  while [ -n "$(jobs -rp)" ]; do
    run -0 findings --repair
    [ "$output" = '' ] || { echo "$output"; false; }
  done
  wait
  [ -z "$(cat "$BATS_TEST_TMPDIR"/[123])" ]
  client volume rm coming1 coming2 coming3
}
