# wherry-runtime as an OCI command line on a bundle that it described itself.
bats_require_minimum_version 1.5.0

setup() {
  runtime=$(pwd)/${BUILD:-build}/wherry-runtime
  bundle=$BATS_TEST_TMPDIR/bundle state=$BATS_TEST_TMPDIR/state
  mkdir -p "$bundle/rootfs"/{bin,proc,dev,sys} && cp "$(command -v busybox)" "$bundle/rootfs/bin/busybox"
  ln -sf busybox "$bundle/rootfs/bin/sh"
  (cd "$bundle" && "$runtime" spec)
}

edit() { # JQ-PROGRAM: changes config.json
  jq "$1" "$bundle/config.json" >"$bundle/new" && mv "$bundle/new" "$bundle/config.json"
}

@test "run: output and exit code" {
  edit '.process.terminal = false | .process.args = ["sh", "-c", "echo $$; exit 6"]'
  run -6 "$runtime" --root "$state" run --bundle "$bundle" "run-$$"
  [ "$output" = 1 ]
  run -0 "$runtime" --root "$state" list
  [[ $output != *"run-$$"* ]]
}

@test "create, state, start, exec, kill, delete" {
  edit '.process.terminal = false | .process.args = ["/bin/busybox", "sleep", "100"]'
  "$runtime" --root "$state" create --bundle "$bundle" --pid-file "$BATS_TEST_TMPDIR/pid" "life-$$" 3>&- >/dev/null
  [ "$("$runtime" --root "$state" state "life-$$" | jq -r .status)" = created ]
  run ! "$runtime" --root "$state" create --bundle "$bundle" "life-$$"
  "$runtime" --root "$state" start "life-$$"
  [ "$("$runtime" --root "$state" state "life-$$" | jq -r .status)" = running ]
  [ "$("$runtime" --root "$state" state "life-$$" | jq -r .pid)" = "$(cat "$BATS_TEST_TMPDIR/pid")" ]
  run -0 "$runtime" --root "$state" exec "life-$$" /bin/busybox echo inside
  [ "$output" = inside ]
  run ! "$runtime" --root "$state" delete "life-$$"
  "$runtime" --root "$state" kill "life-$$" KILL
  for _ in $(seq 50); do [ "$("$runtime" --root "$state" state "life-$$" | jq -r .status)" = stopped ] && break; sleep 0.05; done
  "$runtime" --root "$state" delete "life-$$"
  run ! "$runtime" --root "$state" state "life-$$"
  [ -z "$(find /sys/fs/cgroup -name "life-$$" 2>/dev/null)" ]
}

@test "what it cannot do it refuses, and a bad bundle changes nothing" {
  run ! "$runtime" --root "$state" run --bundle "$BATS_TEST_TMPDIR" nothing
  [[ $output == *config.json* ]]
  edit '.process.terminal = false | .process.args = ["nosuch"]'
  run ! "$runtime" --root "$state" run --bundle "$bundle" "bad-$$"
  [[ $output == *'executable file not found in $PATH'* ]]
  edit '.hooks = {"prestart": [{"path": "/bin/true"}]}'
  run ! "$runtime" --root "$state" run --bundle "$bundle" "bad-$$"
  [[ $output == *hooks* ]]
  run -0 "$runtime" --root "$state" list
  [[ $output != *"bad-$$"* ]]
}
