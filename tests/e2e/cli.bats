# The command line as a whole: config.json, plugins, manual pages, wrong use.
bats_require_minimum_version 1.5.0

setup_file() {
  source "$BATS_TEST_DIRNAME/../lib/engine.bash"
  engine_start
}
teardown_file() { engine_stop; }
setup() {
  source "$BATS_TEST_DIRNAME/../lib/engine.bash"
  needs_recent_client
  CONFIG=$BATS_TEST_TMPDIR/config
  mkdir -p "$CONFIG/cli-plugins"
}
mine() { # the client with a configuration of its own
  local program=$PROGRAMS/wherry
  [ "$CLIENT" = wherry ] || program=${DOCKER:-docker}
  DOCKER_HOST=unix://$ENGINE/sock WHERRY_HOST=unix://$ENGINE/sock DOCKER_CONFIG="$CONFIG" "$program" "$@"
}

@test "a damaged config.json gives a warning and counts as far as it could be read" {
  echo '{' >"$CONFIG/config.json"
  run -0 --separate-stderr mine ps -q
  [ "$stderr" = "WARNING: Error parsing config file ($CONFIG/config.json): unexpected EOF" ]
  echo '{"psFormat": 3, "HttpHeaders": {"X": "y"}}' >"$CONFIG/config.json"
  run -0 --separate-stderr mine ps -q
  [ "$stderr" = "WARNING: Error parsing config file ($CONFIG/config.json): json: cannot unmarshal number into Go struct field ConfigFile.psFormat of type string" ]
}

@test "the formats of config.json are used" {
  echo '{"psFormat": "table {{.ID}}|{{.Names}}"}' >"$CONFIG/config.json"
  [ "$(mine ps)" = 'CONTAINER ID|NAMES' ]
}

@test "plugins are found, listed and run" {
  cat >"$CONFIG/cli-plugins/docker-hello" <<'END'
#!/bin/sh
[ "$1" != docker-cli-plugin-metadata ] || { echo '{"SchemaVersion":"0.1.0","Vendor":"Me","Version":"v1","ShortDescription":"Say hello"}'; exit; }
echo "args: $*"
[ "$2" != fail ] || exit 7
END
  printf '#!/bin/sh\nexit 3\n' >"$CONFIG/cli-plugins/docker-bad"
  printf '#!/bin/sh\necho "{}"\n' >"$CONFIG/cli-plugins/docker-noschema"
  chmod +x "$CONFIG"/cli-plugins/*
  [ "$(mine hello a --b)" = 'args: hello a --b' ]
  [ "$(mine -D hello)" = 'args: -D hello' ]
  run -7 mine hello fail
  run -1 mine bad
  [[ ${lines[0]} == *'unknown command: '*' bad' ]]
  run -0 mine --help
  [[ $output == *$'\n  hello*      Say hello\n'* ]] || [[ $output == *$'\n  hello*     Say hello\n'* ]]
  [[ $output == *$'Invalid Plugins:\n  bad         failed to fetch metadata: exit status 3\n  noschema    plugin SchemaVersion "" is not valid, must be 0.1.0\n'* ]]
}

@test "aliases: only builder, and only to a plugin" {
  echo '{"aliases": {"foo": "bar"}}' >"$CONFIG/config.json"
  run -1 mine ps
  [ "$output" = 'not allowed to alias "foo" (allowed: map[string]struct {}{"builder":struct {}{}})' ]
  echo '{"aliases": {"builder": "ps"}}' >"$CONFIG/config.json"
  run -1 mine ps
  [ "$output" = 'not allowed to alias with builtin "ps" as target' ]
}

@test "the manual pages are made without a complaint of the formatter" {
  [ "$CLIENT" = wherry ] || skip 'wherry only'
  mine __man "$BATS_TEST_TMPDIR/man"
  [ -s "$BATS_TEST_TMPDIR/man/wherry.1" ] && [ -s "$BATS_TEST_TMPDIR/man/wherry-run.1" ]
  grep -q 'container\\-run' "$BATS_TEST_TMPDIR/man/wherry-container-run.1"
  command -v groff >/dev/null || skip 'no groff'
  run -0 groff -man -ww -Tutf8 -z "$BATS_TEST_TMPDIR/man/wherry.1" "$BATS_TEST_TMPDIR/man/wherry-run.1"
  [ -z "$output" ]
}
