# A private engine for a test file: its own folders, socket, bridge and cgroup parent, and a check that nothing of it is
# left on the host afterwards. Source it, call engine_start in setup_file and engine_stop in teardown_file.
#
#   $ENGINE   the private folder (socket, data, run, log)      $CLIENT  wherry or docker
#   client …  runs the client under test against the engine

: "${CLIENT:=wherry}"
PROGRAMS=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/${BUILD:-build}

client() {
  if [ "$CLIENT" = docker ]; then
    DOCKER_HOST=unix://$ENGINE/sock DOCKER_CONFIG=$ENGINE/config DOCKER_BUILDKIT=0 "${DOCKER:-docker}" "$@"
  else
    WHERRY_HOST=unix://$ENGINE/sock DOCKER_HOST=unix://$ENGINE/sock DOCKER_CONFIG=$ENGINE/config "$PROGRAMS/wherry" "$@"
  fi
}

# at_terminal ROWS COLUMNS ARGUMENT... <SCRIPT: the client with these arguments, as tests/lib/terminal.py has it
at_terminal() {
  local size=("$1" "$2"); shift 2
  local program=$PROGRAMS/wherry; [ "$CLIENT" = wherry ] || program=${DOCKER:-docker}
  DOCKER_HOST=unix://$ENGINE/sock WHERRY_HOST=unix://$ENGINE/sock DOCKER_CONFIG=$ENGINE/config TERM=xterm \
    python3 "$BATS_TEST_DIRNAME/../lib/terminal.py" "${size[@]}" "$program" "$@"
}

# Skips a test of what docker's command line does only since version 25 (Debian 12's own client is 20.10).
needs_recent_client() {
  [ "$CLIENT" = docker ] || return 0
  local version; version=$(client version --format '{{.Client.Version}}')
  [ "${version%%.*}" -ge 25 ] || skip "docker $version cannot"
}

# What the host has that is this engine's, or that an engine can have lost, a line each.
host_state() (
  set +e +o pipefail # what finds nothing is no failure
  bridge=$(cat "$ENGINE/bridge")
  grep -F "$ENGINE" /proc/self/mountinfo | cut -d' ' -f4,5 | sed 's/^/mount /'
  ip -o link show | awk -v bridge="$bridge:" '$2 == bridge {print "link", $2}'
  ip -o link show type veth | grep -v ' master ' | awk '{print "link", $2}'
  ip -o link show type bridge | awk '$2 ~ /^br-/ {print "link", $2}'
  find /sys/fs/cgroup -type d -path "*$bridge*" 2>/dev/null | sed 's/^/cgroup /'
  pgrep -f -a "$ENGINE" | grep -v -e bats -e pgrep | sed 's/^/process /'
  nft list tables 2>/dev/null | grep -F "$bridge" | sed 's/^/nft /'
  find /dev/shm /run -maxdepth 1 -newer "$ENGINE/bridge" -name '*wherry*' ! -name 'wherry-bench*' | sed 's/^/file /'
)

engine_launch() { # starts wherryd on the folders of $ENGINE and waits until it answers
  "$PROGRAMS/wherryd" -H "unix://$ENGINE/sock" --data-root "$ENGINE/data" --exec-root "$ENGINE/run" \
    --pidfile "$ENGINE/pid" --bridge "$(cat "$ENGINE/bridge")" --cgroup-parent "/$(cat "$ENGINE/bridge")" \
    "$@" >>"$ENGINE/log" 2>&1 3>&- &
  echo $! >"$ENGINE/started"
  local i
  for i in $(seq 100); do
    curl -fs --unix-socket "$ENGINE/sock" http://x/_ping >/dev/null 2>&1 && return 0
    kill -0 "$(cat "$ENGINE/started")" 2>/dev/null || break
    sleep 0.05
  done
  cat "$ENGINE/log" >&2
  return 1
}

engine_halt() { # SIGNAL: ends wherryd and waits until it is gone
  local pid; pid=$(cat "$ENGINE/started")
  kill "-${1:-TERM}" "$pid" 2>/dev/null || true
  local i
  for i in $(seq 200); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.05
  done
  return 1
}

engine_start() {
  ENGINE=$(mktemp -d /tmp/wherry-test.XXXXXX)
  export ENGINE CLIENT
  echo "wt$(printf '%s' "$ENGINE" | cksum | cut -d' ' -f1 | tail -c 9)" >"$ENGINE/bridge"
  mkdir -p "$ENGINE/config"
  host_state | sort >"$ENGINE/before"
  engine_launch "$@"
}

# Removes every container, stops the engine, and compares the host with what it was.
engine_stop() {
  local ids; ids=$(client ps -aq)
  [ -z "$ids" ] || client rm -f $ids >/dev/null
  engine_halt TERM || { echo 'wherryd did not stop'; return 1; }
  wait 2>/dev/null || true
  # Other engines on the host come and go: what is ours stays.
  local status=1 i
  for i in $(seq 100); do
    host_state | sort >"$ENGINE/after"
    [ -n "$(comm -13 "$ENGINE/before" "$ENGINE/after")" ] || { status=0; break; }
    sleep 0.1
  done
  [ $status = 0 ] || { comm -13 "$ENGINE/before" "$ENGINE/after"; echo 'the engine left something behind (above)'; }
  if grep -E 'AddressSanitizer|LeakSanitizer|runtime error:|level=error' "$ENGINE/log" | grep -v 'Handler for'; then status=1; fi
  rm -rf "$ENGINE"
  return $status
}

# An image named busybox, made of Debian's static busybox.
image_busybox() {
  local root=$ENGINE/busybox applet
  mkdir -p "$root"/{bin,etc,root,tmp,proc,sys,dev}
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in $("$root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
  done
  echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
  echo 'nobody:x:65534:65534:nobody:/home:/bin/false' >>"$root/etc/passwd"
  printf 'root:x:0:\nwheel:x:10:nobody\nnogroup:x:65534:\n' >"$root/etc/group"
  chmod 1777 "$root/tmp"
  tar -C "$root" -c . | client import -c 'CMD ["sh"]' - busybox >/dev/null
  rm -rf "$root"
}
