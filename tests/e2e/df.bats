# How much of the disk is used by what (CLIENT=wherry or docker).
load ../lib/engine
bats_require_minimum_version 1.5.0

setup_file() {
  engine_start && image_busybox
  client volume create kept
  client run --name wrote -v kept:/data busybox sh -c 'head -c 4000 /dev/zero >/data/f; head -c 12345 /dev/zero >/f'
  client run -d --name up busybox sleep 60
}
teardown_file() { client rm -f wrote up; client volume rm kept; engine_stop; }
api() { curl -s --unix-socket "$ENGINE/sock" "http://x/v1.45/$1"; }

@test "df sums up images, containers and volumes" {
  run -0 client system df --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.Reclaimable}}'
  [ "${lines[0]}" = 'Images 1 1 0B (0%)' ]
  [ "${lines[1]}" = 'Containers 2 1 12.35kB (100%)' ]
  [ "${lines[2]}" = 'Local Volumes 1 1 0B (0%)' ]
  [ "${lines[3]}" = 'Build Cache 0 0 0B' ]
}

@test "df in full" {
  needs_recent_client
  run -0 client system df -v
  [[ $output == *'SHARED SIZE'*'UNIQUE SIZE'*'Containers space usage:'*12.3kB*'VOLUME NAME'*'kept'*4kB*'Build cache usage: 0B'* ]]
  run -0 client system df -v --format '{{(index .Volumes 0).Name}}'
  [ "$output" = kept ]
}

@test "parts of df can be asked for alone" {
  run -0 api 'system/df?type=volume'
  [ "$(jq -c '[.Images, .Containers, .LayersSize, .Volumes[0].UsageData]' <<<"$output")" = '[null,null,0,{"RefCount":1,"Size":4000}]' ]
  run -0 api 'system/df?type=image&type=container'
  [ "$(jq -c '[.Volumes, .Images[0].Containers, .Images[0].SharedSize]' <<<"$output")" = '[null,2,0]' ]
  [ "$(jq '.LayersSize == .Images[0].Size' <<<"$output")" = true ]
  run -0 api 'system/df?type=bogus'
  [[ $output == *'unknown object type: bogus'* ]]
}

@test "sizes in ps and inspect" {
  run -0 client ps -as --filter name=wrote --format '{{.Size}}'
  [[ $output == '12.3kB (virtual '*')' ]]
  run -0 client inspect -s -f '{{.SizeRw}}' wrote
  [ "$output" = 12345 ]
}

@test "system prune says what it would remove, and stops at no" {
  needs_recent_client
  run -0 client system prune -a --volumes --filter label=x <<<n
  [[ $output == *'- all stopped containers'*'- all networks'*'- all anonymous volumes'*'- all images'*'- all build cache'*'filtered with:'*'- label=x'* ]]
  run -0 client ps -aq
  [ "$(wc -l <<<"$output")" = 2 ]
  run -1 client system prune -f --volumes --filter until=1h
  [[ $output == *'The "until" filter is not supported with "--volumes"' ]]
}
