# A container becomes an image.
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }

@test "what changed is in the image, and nothing else" {
  client run --name one busybox sh -c 'rm /etc/group; echo new >/new; ln /new /hard; ln -s new /link; mkdir -p /d/e; chown 5:6 /d; chmod 1700 /d; rm -r /root; mkdir /root; mknod /null c 1 3'
  client commit one made
  run -0 client run --rm made sh -c 'cat /new; readlink /link; stat -c "%u %g %a %h" /d /hard; test ! -e /etc/group; test -c /null; ls /root'
  [ "$output" = "$(printf 'new\nnew\n5 6 1700 3\n0 0 644 2')" ]
  [ "$(client image inspect --format '{{len .RootFS.Layers}}' made)" = 2 ]
  [ "$(client image inspect --format '{{.Parent}}' made)" = "$(client image inspect --format '{{.Id}}' busybox)" ]
  client save made | tar -xOf - --wildcards '*.json' >/dev/null
  run -0 client run --name again made true
  [ -z "$(client diff again)" ]
  client rm one again; client rmi made
}

@test "author, comment, history; a container that changed nothing adds no layer" {
  client create --name still busybox echo hi
  id=$(client commit -a 'A Name <a@b>' -m 'a note' still still:1)
  [[ $id == sha256:* ]]
  [ "$(client image inspect --format '{{.Author}}|{{.Comment}}|{{len .RootFS.Layers}}' still:1)" = 'A Name <a@b>|a note|1' ]
  run -0 client history --no-trunc --format '{{.CreatedBy}}|{{.Comment}}|{{.Size}}' still:1
  [ "${lines[0]}" = 'echo hi|a note|0B' ]
  id=$(client commit still)
  [ "$(client images -q --no-trunc --filter dangling=true)" = "$id" ]
  client rm still; client rmi still:1 "$id"
}

@test "changes, and what comes from the container" {
  client create --name rich -e A=1 -e B=2 -l l=m --user nobody -w /tmp --expose 80 --stop-signal SIGUSR1 --entrypoint '["sh","-c"]' busybox 'exit 3'
  client commit -c 'ENV A=9 C=3' -c 'LABEL n=o' -c 'EXPOSE 53/udp' -c 'CMD exit 4' -c 'VOLUME /v' -c 'USER root' -c 'WORKDIR sub' rich rich
  config() { client image inspect --format "{{json .Config.$1}}" rich; }
  [ "$(config Env)" = '["A=9","B=2","C=3"]' ]
  [ "$(config Labels)" = '{"l":"m","n":"o"}' ]
  [ "$(config ExposedPorts)" = '{"53/udp":{},"80/tcp":{}}' ]
  [ "$(config User),$(config WorkingDir),$(config StopSignal)" = '"root","/tmp/sub","SIGUSR1"' ]
  [ "$(config Volumes)" = '{"/v":{}}' ]
  run -1 client commit -c 'RUN x' rich x; [[ $output == *'RUN is not a valid change command'* ]]
  run -1 client commit rich BAD; [[ $output == *'must be lowercase'* ]]
  run -1 client commit nobody; [[ $output == *'No such container: nobody'* ]]
  client rm rich; client rmi rich
}

@test "the request's own config, and bad requests" {
  post() { curl -sS --unix-socket "$ENGINE/sock" -X POST "$@"; }
  client create --name plain -e A=1 busybox true
  post -H 'Content-Type: application/json' -d '{"Cmd":["q"],"Env":["Z=1"],"User":"u"}' 'http://x/commit?container=plain&repo=own' >/dev/null
  [ "$(client image inspect --format '{{json .Config.Cmd}}{{json .Config.Env}}{{.Config.User}}' own)" = '["q"]["Z=1","A=1"]u' ]
  [ "$(post -o /dev/null -w '%{http_code}' 'http://x/commit')" = 400 ]
  [ "$(post 'http://x/commit')" = '{"message":"invalid name or ID supplied: \"\""}' ]
  client rm plain; client rmi own
}

@test "a running container is committed while it runs" {
  client run -d --name busy busybox sh -c 'while :; do echo x >>/growing; done'
  client commit busy running; client commit --pause=false busy running2
  [ "$(client inspect --format '{{.State.Status}}' busy)" = running ]
  client rm -f busy
  client run --rm running test -s /growing
  client rmi running running2
}
