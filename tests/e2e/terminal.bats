# What a person at a terminal meets: sizes, interrupts, detach keys, and a terminal that is as it was afterwards.
bats_require_minimum_version 1.5.0

setup_file() {
  source "$BATS_TEST_DIRNAME/../lib/engine.bash"
  engine_start
  image_busybox
}
teardown_file() { engine_stop; }
setup() { source "$BATS_TEST_DIRNAME/../lib/engine.bash"; }

@test "a container's terminal has the size of the person's, and follows it" {
  run -0 at_terminal 33 77 run --rm -it --name sized busybox sh <<'EOF'
expect #
send stty size\r
expect 33 77
resize 40 120
send while [ "$(stty size)" != "40 120" ]; do :; done; echo it is $(stty size)\r
expect it is 40 120
mode
send exit 3\r
end
mode
EOF
  [ "$output" = $'raw\nexit 3\ncooked' ]
}

@test "Ctrl-C is the container's where it has a terminal, and a signal where it has none" {
  run -0 at_terminal 24 80 run --rm -it busybox sh -c 'trap "echo heard; exit 7" INT; echo ready; while :; do sleep 0.1; done' <<'EOF'
expect ready
send \x03
expect heard
end
EOF
  [ "$output" = 'exit 7' ]
  run -0 at_terminal 24 80 run --rm -i busybox sh -c 'trap "echo heard; exit 8" INT; echo ready; while :; do sleep 0.1; done' <<'EOF'
expect ready
send \x03
expect heard
end
EOF
  [ "$output" = 'exit 8' ]
}

@test "the detach keys leave the container running and the terminal as it was" {
  run -0 at_terminal 24 80 run -it --name left busybox sh <<'EOF'
expect #
send echo a\x10b\r
expect ab
send \x10\x11
end
mode
EOF
  [ "$output" = $'exit 0\ncooked' ]
  [ "$(client inspect -f '{{.State.Running}}' left)" = true ]
  run -0 at_terminal 24 80 attach --detach-keys ctrl-x,q left <<'EOF'
send echo $((40+2))\r
expect 42
send \x18q
end
mode
EOF
  [ "$output" = $'exit 1\ncooked' ]
  run -0 at_terminal 24 80 exec -it left sh <<'EOF'
expect #
send exit 5\r
end
mode
EOF
  [ "$output" = $'exit 5\ncooked' ]
  client rm -f left
}

# As a shell shows both: 130.
is_interrupted() { [ "$output" = 'exit 130' ] || [ "$output" = 'signal 2' ] || { echo "$output"; return 1; }; }

@test "Ctrl-C ends logs -f, events and stats, and not the container" {
  client run -d --name followed busybox sh -c 'echo one; exec sleep 600'
  run -0 at_terminal 24 80 logs -f followed <<'EOF'
expect one
send \x03
end
EOF
  is_interrupted
  run -0 at_terminal 24 80 events --since 0 <<'EOF'
expect start
send \x03
end
EOF
  [ "$CLIENT" = docker ] || is_interrupted # docker sometimes takes the end of the stream for a good one
  if [ "$CLIENT" = wherry ]; then # docker's stats goes on after one Ctrl-C
    run -0 at_terminal 24 80 stats followed <<'EOF'
expect CONTAINER ID
expect followed
send \x03
end
EOF
    is_interrupted
  fi
  [ "$(client inspect -f '{{.State.Running}}' followed)" = true ]
  client rm -f followed
}

@test "a terminal and no terminal: what docker says" {
  run -1 client run --rm -t -i busybox true </dev/null
  [[ $output == *'the input device is not a TTY'* ]]
  run -0 at_terminal 24 80 run --rm busybox sh -c 'test -t 1 || echo no terminal' <<'EOF'
expect no terminal
end
EOF
  [ "$output" = 'exit 0' ]
}
