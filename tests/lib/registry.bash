# Registries on loopback for a test file: real ones, and one that misbehaves on purpose. Source it after engine.bash.
#
#   registry_start NAME [auth]   a real one; $NAME (exported) is its host:port. With `auth` it knows user "user", password "x"
#   fake_start                   fake_registry.py; $FAKE is its host:port, $ENGINE/fake.log a line for each request
#   registries_stop              ends them all

wait_for_port() { # PORT PID
  local i
  for i in $(seq 200); do
    (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
    kill -0 "$2" 2>/dev/null || return 1
    sleep 0.05
  done
  return 1
}

registry_start() {
  local program port folder=$ENGINE/registry-$1 try
  program=$("$BATS_TEST_DIRNAME/../lib/find-registry") || { echo 'no docker-registry'; return 1; }
  mkdir -p "$folder"
  for try in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    {
      printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s/data}, delete: {enabled: true}}\n' "$folder"
      printf 'http: {addr: "127.0.0.1:%s"}\n' "$port"
      [ -z "${2:-}" ] || printf 'auth: {htpasswd: {realm: test, path: %s/htpasswd}}\n' "$folder"
    } >"$folder/config.yml"
    printf '%s\n' 'user:$2b$12$KMyfBW0DgenGOOVODhUXdOGxgx26RxvJ.tw9q8cktBaL11Y3Who7C' >"$folder/htpasswd"
    "$program" serve "$folder/config.yml" >"$folder/log" 2>&1 3>&- &
    echo $! >>"$ENGINE/registries"
    wait_for_port "$port" $! && { export "$1=127.0.0.1:$port"; return 0; }
  done
  cat "$folder/log" >&2
  return 1
}

fake_start() {
  python3 "$BATS_TEST_DIRNAME/../lib/fake_registry.py" "$ENGINE/fake.port" "$ENGINE/fake.log" >"$ENGINE/fake.out" 2>&1 3>&- &
  echo $! >>"$ENGINE/registries"
  local i
  for i in $(seq 200); do [ ! -s "$ENGINE/fake.port" ] || break; sleep 0.05; done
  export FAKE="127.0.0.1:$(cat "$ENGINE/fake.port")"
}

registries_stop() {
  local pid
  while read -r pid; do kill "$pid" 2>/dev/null; done <"$ENGINE/registries" || true
}
