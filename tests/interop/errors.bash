# For errors.scenario and versions.scenario: requests as the library of no language would make them.

# request METHOD PATH [BODY [TYPE]]: status, type and body of the answer.
request() {
  local options=(-s -g --path-as-is -m 20 --unix-socket "${DOCKER_HOST#unix://}" -X "$1" -w '\n%{http_code} %{content_type}\n')
  [ "$1" != HEAD ] || options+=(-I -o /dev/null)
  [ -z "${3:-}" ] || options+=(-H "Content-Type: ${4:-application/json}" -d "$3")
  curl "${options[@]}" "http://x$2"
}

# forget METHOD PATH BODY: removes what a request has made after all.
forget() {
  local what
  case $1\ $2 in
    POST\ */containers/create*) what=containers/er-x?force=1 ;;
    POST\ */volumes/create) what=volumes/er-vol ;;
    POST\ */networks/create) what=networks/er-net ;;
    *) return 0 ;;
  esac
  curl -s -o "$work/forgotten" --unix-socket "${DOCKER_HOST#unix://}" -X DELETE "http://x/v1.45/$what"
}

# requests TABLE: METHOD, PATH, BODY a line, between tabs.
requests() {
  local method path body answer
  while IFS=$'\t' read -r method path body; do
    case $method in ''|'#'*) continue ;; esac
    answer=$(request "$method" "$path" "$body")
    printf '%s %s %s\n%s\n' "$method" "$path" "$body" "$answer"
    case $answer in *$'\n20'*) forget "$method" "$path" "$body" ;; esac
  done <"$1"
}
