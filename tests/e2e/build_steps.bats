# RUN and the instructions that change an image's configuration.
load ../lib/engine
load ../lib/build
bats_require_minimum_version 1.5.0

setup_file() { engine_start && image_busybox; }
teardown_file() { engine_stop; }
setup() { context; }
config() { client image inspect --format "{{json .Config.$1}}" "${2:-made}"; }

@test "every instruction of the configuration" {
  dockerfile <<'D'
FROM busybox
MAINTAINER Some One
ENV A=1 B="two words"
ENV C three and four
LABEL l=m "with space"="x y"
EXPOSE 80 53/udp
VOLUME /v ["w"]
USER 5:6
WORKDIR /one
WORKDIR two
STOPSIGNAL SIGUSR1
HEALTHCHECK --interval=5s --timeout=3s --retries=4 CMD test -e /x
SHELL ["/bin/sh", "-ec"]
ENTRYPOINT ["/bin/echo", "x"]
CMD shell form
ONBUILD RUN echo trigger
D
  built t=made
  [ "$(config Env)" = '["A=1","B=two words","C=three and four"]' ]
  [ "$(config Labels)" = '{"l":"m","with space":"x y"}' ]
  [ "$(config ExposedPorts)" = '{"53/udp":{},"80/tcp":{}}' ]
  [ "$(config User),$(config WorkingDir),$(config StopSignal)" = '"5:6","/one/two","SIGUSR1"' ]
  [ "$(config Healthcheck)" = '{"Test":["CMD-SHELL","test -e /x"],"Interval":5000000000,"Timeout":3000000000,"Retries":4}' ]
  [ "$(config Entrypoint),$(config Cmd)" = '["/bin/echo","x"],["/bin/sh","-ec","shell form"]' ]
  [ "$(config OnBuild)" = '["RUN echo trigger"]' ]
  [ "$(client image inspect --format '{{.Author}}' made)" = 'Some One' ]
  client rmi made
}

@test "an entry point takes the base's command away, and a command of the same file stays" {
  printf 'FROM busybox\nENTRYPOINT top\n' | dockerfile; built t=made
  [ "$(config Cmd)" = null ]
  printf 'FROM busybox\nCMD ["x"]\nENTRYPOINT top\n' | dockerfile; built t=made
  [ "$(config Cmd)" = '["x"]' ]
  client rmi made
}

@test "arguments: global, of a stage, given, predefined, and those nobody took" {
  dockerfile <<'D'
ARG BASE=busybox
ARG GLOBAL=g
FROM $BASE
ARG GLOBAL
ARG OWN=o
ARG NONE
ENV E=$GLOBAL-$OWN-$NONE
RUN echo "$GLOBAL $OWN [$NONE] $E [$HTTP_PROXY] [$FOO]"
ENV OWN=env
RUN echo "then $OWN"
D
  run -0 built t=made 'buildargs={"OWN":"given","HTTP_PROXY":"p","FOO":"x","NULL":null}'
  [[ $output == *'g given [] g-given- [p] []'* ]]
  [[ $output == *'then env'* ]]
  [[ $output == *'[Warning] One or more build-args [FOO] were not consumed'* ]]
  client rmi made
}

@test "RUN: user, folder, shell, exec form, heredocs, environment" {
  dockerfile <<'D'
FROM busybox
ENV V=value
USER nobody
WORKDIR /tmp
RUN echo "$V $(id -u) $PWD" >x; cat x
RUN ["sh", "-c", "echo exec $0", "form"]
RUN <<EOF
echo first line
echo "second $V"
EOF
RUN <<EOF
#!/bin/awk -f
BEGIN { print "awk ran" }
EOF
RUN cat <<EOF | tr a-z A-Z
shouted
EOF
SHELL ["/bin/busybox", "sh", "-c"]
RUN readlink /proc/$$/exe
D
  run -0 built t=made
  for said in 'value 65534 /tmp' 'exec form' 'first line' 'second value' 'awk ran' 'SHOUTED' '/bin/busybox'; do
    [[ $output == *"$said"* ]] || { echo "missing: $said"; false; }
  done
  client rmi made
}

@test "what belongs to the step alone is not in the layer" {
  printf 'FROM busybox\nRUN echo x >/etc/hosts; touch /dev/shm/y /run-was-here; ls /etc >/list\n' | dockerfile
  built t=made
  layer=$(client image inspect --format '{{index .RootFS.Layers 1}}' made)
  run -0 ls -A "$ENGINE/data/layers/${layer#sha256:}"
  [ "$output" = $'list\nrun-was-here' ]
  grep -q resolv.conf "$ENGINE/data/layers/${layer#sha256:}/list"
  client rmi made
}

@test "a layer has no blob, and its tar is made when someone wants it" {
  printf 'FROM busybox\nRUN rm -r /root && mkdir /root /new && touch /root/again && ln /etc/group /hard && ln -s x /link && rm /etc/passwd\n' | dockerfile
  built t=made
  layers=$(client image inspect --format '{{json .RootFS.Layers}}' made)
  client save -o "$BATS_TEST_TMPDIR/made.tar" made
  client rmi made
  builder_prune
  client load -i "$BATS_TEST_TMPDIR/made.tar"
  [ "$(client image inspect --format '{{json .RootFS.Layers}}' made)" = "$layers" ]
  run -0 in_image made 'ls /root; ls -d /new; readlink /link; test ! -e /etc/passwd; stat -c %h /hard'
  [ "$output" = $'again\n/new\nx\n2' ]
  client rmi made
}

@test "a step that fails: Docker's words, its code, nothing left" {
  printf 'FROM busybox\nRUN echo before; exit 3\nRUN echo after\n' | dockerfile
  run -1 built t=made
  [[ $output == *before* && $output != *after* ]]
  [ "${lines[-1]}" = "ERROR The command '/bin/sh -c echo before; exit 3' returned a non-zero code: 3" ]
  [ "$(build t=made | jq -c 'select(.error).errorDetail')" = "{\"code\":3,\"message\":\"The command '/bin/sh -c echo before; exit 3' returned a non-zero code: 3\"}" ]
  printf 'FROM busybox\nRUN ["/nosuch"]\n' | dockerfile
  run -1 built; [[ $output == *'/nosuch'*'no such file or directory'* ]]
  [ -z "$(ls "$ENGINE/data/containers" "$ENGINE/run" | grep -v :)" ]
  [ -z "$(client ps -aq)" ]
  run -1 client image inspect made
}

@test "networks: none, host, extra hosts" {
  printf 'FROM busybox\nRUN ls /sys/class/net | tr "\\n" " "\n' | dockerfile
  run -0 built networkmode=none nocache=1; [[ $output == *$'\nlo  --->'* ]]
  run -0 built nocache=1; [[ $output == *'eth0 lo'* ]]
  printf 'FROM busybox\nRUN --network=none ls /sys/class/net | tr "\\n" " "\nRUN --network=host ls /sys/class/net | tr "\\n" " "\n' | dockerfile
  run -0 built nocache=1; [[ $output == *"$(cat "$ENGINE/bridge")"* ]]
  printf 'FROM busybox\nRUN grep extra /etc/hosts\n' | dockerfile
  run -0 built extrahosts=extra:1.2.3.4; [[ $output == *$'1.2.3.4\textra'* ]]
  run -1 built extrahosts=extra; [[ $output == *'bad format for add-host: "extra"'* ]]
  run -1 built networkmode=nosuch nocache=1; [[ $output == *'nosuch'*'not found'* ]]
}

@test "limits" {
  printf 'FROM busybox\nRUN ulimit -n; df -k /dev/shm | awk "END {print \\$2}"\n' | dockerfile
  run -0 built shmsize=33554432 'ulimits=[{"Name":"nofile","Soft":100,"Hard":200}]'
  [[ $output == *$'\n100\n32768\n'* ]]
  run -1 built memory=1000; [[ $output == *'Minimum memory limit allowed is 6MB'* ]]
}

@test "mounts: bind, cache, tmpfs, secret" {
  mkdir "$CTX/dir"; echo content >"$CTX/dir/file"
  dockerfile <<'D'
FROM busybox AS other
RUN mkdir -p /tree/deep && echo from >/tree/deep/other
FROM busybox
RUN --mount=target=/ctx cat /ctx/dir/file && ! touch /ctx/new 2>/dev/null
RUN --mount=target=/ctx,source=dir,rw touch /ctx/new && ls /ctx
RUN --mount=type=bind,from=other,source=/tree,target=/tree cat /tree/deep/other
RUN --mount=type=cache,target=/cache echo kept >>/cache/list; ls -d /cache
RUN --mount=type=cache,target=/cache wc -l </cache/list
RUN --mount=type=cache,id=own,target=/c,uid=5,gid=6,mode=0700 stat -c 'cache %u:%g %a' /c
RUN --mount=type=tmpfs,target=/mem,size=1m df -k /mem | awk 'END {print "tmpfs", $2}'
RUN --mount=type=secret,id=pass cat /run/secrets/pass; stat -c 'secret %a %u' /run/secrets/pass
RUN --mount=type=secret,id=pass,target=/p,mode=0444,uid=7 stat -c 'secret %a %u' /p
RUN --mount=type=secret,id=pass,env=PASS echo "env $PASS"
RUN --mount=type=secret,id=missing test ! -e /run/secrets/missing
RUN ls -d /ctx /tree /cache /c /mem /p /run/secrets 2>&1 | grep -v 'No such' || true
D
  BUILD_HEADERS=(-H "X-Build-Secrets: $(printf '{"pass":"%s"}' "$(printf s3cr3t-value | base64)" | base64 -w0 | tr '+/' '-_')")
  run -0 built t=made
  for said in content $'file\nnew' from 'cache 5:6 700' 'tmpfs 1024' s3cr3t-value 'secret 400 0' 'secret 444 7' 'env s3cr3t-value'; do
    [[ $output == *"$said"* ]] || { echo "missing: $said"; false; }
  done
  # Nothing of the mounts is in the layers.
  run -0 in_image made 'ls -d /ctx /tree /cache /c /mem /p /run 2>/dev/null || true'
  [ -z "$output" ]
  run -1 grep -rq s3cr3t-value "$ENGINE/data/layers" "$ENGINE/log"
  client rmi made
}

@test "what cannot be honoured is refused" {
  refused() { printf 'FROM busybox\nRUN %s true\n' "$1" | dockerfile; run -1 built; [[ $output == *"$2"* ]] || { echo "$1: $output"; false; }; }
  refused --security=insecure 'RUN --security=insecure is not supported'
  refused --mount=type=ssh 'no ssh agent can be forwarded'
  refused --mount=type=secret,id=x,required 'secret x: not found'
  refused --mount=type=nosuch,target=/x 'unsupported mount type "nosuch"'
  refused --mount=type=cache 'target required'
  refused --mount=type=cache,target=/x,sharing=some 'unsupported sharing value "some"'
  refused --mount=type=cache,target=/x,nosuch=1 "unexpected key 'nosuch'"
  refused --mount=target=/x,source=nosuch 'file does not exist'
  refused --network=nosuch 'invalid network mode "nosuch"'
  printf 'FROM busybox\n' | dockerfile
  run -1 built squash=1; [[ $output == *'squash is only supported with experimental mode'* ]]
  run -1 built version=2; [[ $output == *'BuildKit is not supported'* ]]
  run -1 built 'outputs=[{"Type":"local"}]'; [[ $output == *outputs*'not supported'* ]]
  run -1 built t=UPPER; [[ $output == *'must be lowercase'* ]]
  run -1 built dockerfile=nosuch; [[ $output == *'Cannot locate specified Dockerfile: nosuch'* ]]
  run -1 built target=nosuch; [[ $output == *'target stage "nosuch" could not be found'* ]]
}
