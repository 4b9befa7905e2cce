# The READMEs' tours, run as they are written: "$ " lines are commands, the lines after one are what it prints, … stands for
# anything (a line that is only … for any number of lines).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start; }
teardown_file() { engine_stop; }

tour() { # FILE
  local folder=$BATS_TEST_TMPDIR/tour
  mkdir -p "$folder/bin"
  printf '#!/bin/sh\nexec env DOCKER_HOST=unix://%s/sock %s/wherry "$@"\n' "$ENGINE" "$PROGRAMS" >"$folder/bin/wherry"
  chmod +x "$folder/bin/wherry"
  [ -z "${DOCKER:-}" ] || ln -sf "$DOCKER" "$folder/bin/docker"
  PATH=$folder/bin:$PATH python3 - "$1" "$folder" "unix://$ENGINE/sock" <<'PY'
import re, subprocess, sys
text = open(sys.argv[1], encoding='utf-8').read()
steps = []
for block in re.findall(r'^```console tour\n(.*?)^```', text, re.M | re.S):
    for line in block.splitlines():
        if line.startswith('$ '):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
assert len(steps) > 10, 'the tour is missing'
for command, expected in steps:
    if 'docker run' in command and subprocess.run('command -v docker', shell=True, capture_output=True).returncode:
        continue
    done = subprocess.run(['bash', '-c', command.replace('unix:///run/wherry.sock', sys.argv[3])], cwd=sys.argv[2],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    pattern = ''.join('(?:.*\n)*' if line == '…' else '.*'.join(map(re.escape, line.split('…'))) + '\n' for line in expected)
    if done.returncode or not re.fullmatch(pattern, done.stdout):
        sys.exit(f'$ {command}\nexit {done.returncode}, printed:\n{done.stdout}{done.stderr}expected:\n' + '\n'.join(expected))
PY
  client rmi shop boat >/dev/null
}

@test "the tour of README.md" { tour README.md; }

@test "the tour of README.ko.md" { tour README.ko.md; }

@test "both READMEs have the same tour" {
  diff <(sed -n '/^```console tour/,/^```/p' README.md) <(sed -n '/^```console tour/,/^```/p' README.ko.md)
}
