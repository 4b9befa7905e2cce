# Manifest lists: made here, kept in the user's folder, pushed, and chosen from by platform.
load ../lib/engine
load ../lib/registry
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox && registry_start OPEN && fake_start
  client tag busybox "$OPEN/one:1" && client push -q "$OPEN/one:1"
  echo 'arm64 image' | tar -C "$ENGINE" -c bridge | client import --platform linux/arm64 - "$OPEN/two:1" && client push -q "$OPEN/two:1"
}
teardown_file() { registries_stop; engine_stop; }

@test "a list is made, annotated, shown, pushed and pulled from" {
  run -0 client manifest create --insecure "$OPEN/both:1" "$OPEN/one:1" "$OPEN/two:1"
  [ "$output" = "Created manifest list $OPEN/both:1" ]
  run -1 client manifest create --insecure "$OPEN/both:1" "$OPEN/one:1"
  [[ $output == *'refusing to amend an existing manifest list with no --amend flag'* ]]
  client manifest create --insecure --amend "$OPEN/both:1" "$OPEN/one:1"
  client manifest annotate --arch arm64 --variant v8 "$OPEN/both:1" "$OPEN/two:1"
  run -1 client manifest annotate --arch arm64 "$OPEN/both:1" "$OPEN/nosuch:1"
  [[ $output == *"manifest for image $OPEN/nosuch:1 does not exist in $OPEN/both:1"* ]]
  run -0 client manifest inspect "$OPEN/both:1"
  [ "$(jq -c '[.manifests[].platform]' <<<"$output")" = '[{"architecture":"amd64","os":"linux"},{"architecture":"arm64","os":"linux","variant":"v8"}]' ]
  [ "${lines[1]}" = '   "schemaVersion": 2,' ]
  run -0 client manifest push --insecure --purge "$OPEN/both:1"
  [[ ${lines[0]} == "Pushed ref $OPEN/both@sha256:"*' with digest: sha256:'* && ${lines[2]} == sha256:* ]]
  digest=${lines[2]}
  run -1 client manifest push --insecure "$OPEN/both:1"
  [[ $output == *"No such manifest: $OPEN/both:1"* ]]
  run -0 client pull "$OPEN/both:1"
  [[ $output == *"Digest: $digest"* ]]
  run -0 client run --rm "$OPEN/both:1" echo works
  [ "$output" = works ]
  client pull -q --platform linux/arm64/v8 "$OPEN/both:1"
  run -0 client image inspect -f '{{.Architecture}}' "$OPEN/both:1"
  [ "$output" = arm64 ]
}

@test "what a registry has is shown as it is" {
  run -0 client manifest inspect --insecure "$OPEN/one:1"
  [ "${lines[1]}" = $'\t"schemaVersion": 2,' ]
  [ "$(jq -r .config.digest <<<"$output")" = "$(client images -q --no-trunc "$OPEN/one")" ]
  run -0 client manifest inspect --insecure -v "$OPEN/one:1"
  [ "$(jq -r '.Ref + " " + .Descriptor.platform.architecture' <<<"$output")" = "$OPEN/one:1 amd64" ]
  if [ "$CLIENT" = wherry ]; then # docker's own client does not like this registry
    run -0 client manifest inspect --insecure "$FAKE/index"
    [ "$(jq -r '[.manifests[].platform.architecture] | join(" ")' <<<"$output")" = 'arm64 amd64 arm unknown' ]
  fi
  run -1 client manifest inspect --insecure "$OPEN/nosuch:1"
  [[ $output == *"no such manifest: $OPEN/nosuch:1"* ]]
  run -1 client manifest rm "$OPEN/nosuch:1"
  [[ $output == *"No such manifest: $OPEN/nosuch:1"* ]]
}
