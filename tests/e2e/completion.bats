# Completion: the protocol, and the bash script in a real bash.
bats_require_minimum_version 1.5.0

setup_file() {
  source "$BATS_TEST_DIRNAME/../lib/engine.bash"
  engine_start
  image_busybox
  client create --name first busybox true >/dev/null
}
teardown_file() { engine_stop; }
setup() {
  source "$BATS_TEST_DIRNAME/../lib/engine.bash"
  needs_recent_client
}

ask() { client __complete "$@" 2>/dev/null; }

@test "commands, flags and values are completed" {
  [ "$(ask con | cut -f1 | grep -x -e container -e context)" = $'container\ncontext' ]
  ask container '' | grep -q '^rm	Remove one or more containers$'
  ask rm - | grep -q -- '^-f	Force the removal of a running container (uses SIGKILL)$'
  ask run --net | grep -q '^--network	Connect a container to a network$'
  [ "$(ask run --pull '')" = $'always\nmissing\nnever\n:4' ]
  [ "$(ask run --pull=)" = $'always\nmissing\nnever\n:4' ]
  ask run --restart u | grep -qx unless-stopped
  [ "$(ask build '')" = ':16' ]
}

@test "names of containers, images, networks and contexts are completed" {
  [ "$(ask rm '')" = $'first\n:4' ]
  [ "$(ask stop '')" = ':4' ]
  [ "$(ask start f)" = $'first\n:4' ]
  [ "$(ask run '')" = $'busybox:latest\n:4' ]
  ask run --network '' | grep -qx bridge
  ask network inspect '' | grep -qx host
  ask context use '' | grep -q '^default'
  # Docker offers names for an argument that logs does not take.
  [ "$CLIENT" = docker ] || [ "$(ask logs first '')" = ':4' ]
}

@test "the script works in bash" {
  [ "$CLIENT" = wherry ] || skip "docker's scripts are docker's"
  client completion bash >"$BATS_TEST_TMPDIR/script"
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  ln -s "$PROGRAMS/wherry" "$BATS_TEST_TMPDIR/bin/wherry"
  complete() { # LINE
    env PATH="$BATS_TEST_TMPDIR/bin:$PATH" DOCKER_HOST="unix://$ENGINE/sock" DOCKER_CONFIG="$ENGINE/config" bash --norc -c '
      . "$1"; COMP_LINE=$2 COMP_POINT=${#2}; _wherry; printf "%s\n" "${COMPREPLY[@]}"' bash "$BATS_TEST_TMPDIR/script" "$1"
  }
  [ "$(complete 'wherry rm fi')" = first ]
  [ "$(complete 'wherry container unp')" = unpause ]
  [ "$(complete 'wherry run --pull=n')" = never ]
  [ "$(complete 'wherry run busybox:')" = latest ]
  # As a person presses the key.
  run -0 env PATH="$BATS_TEST_TMPDIR/bin:$PATH" bash --norc -c '. "$1"; complete -p wherry' bash "$BATS_TEST_TMPDIR/script"
  [ "$output" = 'complete -F _wherry wherry' ]
}

# What fish and zsh make of the script, with the engine's names; files where wherry takes one.
@test "the script works in fish" {
  [ "$CLIENT" = wherry ] || skip "docker's scripts are docker's"
  client completion fish >"$BATS_TEST_TMPDIR/script"
  mkdir -p "$BATS_TEST_TMPDIR/bin"; ln -s "$PROGRAMS/wherry" "$BATS_TEST_TMPDIR/bin/wherry"
  touch "$BATS_TEST_TMPDIR/image.tar"; cd "$BATS_TEST_TMPDIR"
  complete() { # LINE
    env HOME="$BATS_TEST_TMPDIR" PATH="$BATS_TEST_TMPDIR/bin:$PATH" DOCKER_HOST="unix://$ENGINE/sock" DOCKER_CONFIG="$ENGINE/config" \
      fish --no-config -c 'source script; complete -C "$argv[1]"' "$1"
  }
  [ "$(complete 'wherry rm fi')" = first ]
  [ "$(complete 'wherry container unp')" = $'unpause\tUnpause all processes within one or more containers' ]
  [ "$(complete 'wherry run --pull=n')" = --pull=never ]
  [ "$(complete 'wherry run --pull n')" = never ]
  [ "$(complete 'wherry load -i im')" = image.tar ]
  [ "$(complete 'wherry load --input=im')" = --input=image.tar ]
}

@test "the script works in zsh" {
  [ "$CLIENT" = wherry ] || skip "docker's scripts are docker's"
  client completion zsh >"$BATS_TEST_TMPDIR/_wherry"
  mkdir -p "$BATS_TEST_TMPDIR/bin"; ln -s "$PROGRAMS/wherry" "$BATS_TEST_TMPDIR/bin/wherry"
  touch "$BATS_TEST_TMPDIR/image.tar"; cd "$BATS_TEST_TMPDIR"
  cat >press <<'EOF'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; autoload -U compinit; compinit -u -D; source ./_wherry; print RE''ADY'
zpty -r shell seen '*READY*'
ask() { zpty -w -n shell "$1"$'\t'; zpty -r shell seen "*$2*" && print -r -- "$2"; zpty -w -n shell $'\C-u'; }
ask 'wherry rm fi' 'wherry rm first'
ask 'wherry container unp' 'wherry container unpause'
ask 'wherry run --pull=n' 'wherry run --pull=never'
ask 'wherry load -i im' 'wherry load -i image.tar'
ask 'wherry run busybox:' 'wherry run busybox:latest'
zpty -d shell
EOF
  run -0 env HOME="$BATS_TEST_TMPDIR" PATH="$BATS_TEST_TMPDIR/bin:$PATH" DOCKER_HOST="unix://$ENGINE/sock" DOCKER_CONFIG="$ENGINE/config" \
    TERM=dumb timeout 60 zsh -f press
  [ "$output" = $'wherry rm first\nwherry container unpause\nwherry run --pull=never\nwherry load -i image.tar\nwherry run busybox:latest' ]
}
