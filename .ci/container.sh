# Sourced by .ci/image: the image at work beside a simulated platform that outlives it.
#
# All containers share the platform's network namespace, as in a pod, so "first" and "second" listen
# on different ports.

# How the image is meant to run, in a sidecar or elsewhere.
hardened=(--read-only --cap-drop ALL --security-opt no-new-privileges)

token=3d9f1c-api-token-that-must-never-be-seen
declare -A pages=([first]=8632 [second]=8642) probes=([first]=8633 [second]=8643)

# start_platform makes an image of the simulated platform and runs it.
start_platform() {
    mkdir "$work/platform"
    CGO_ENABLED=0 go build -o "$work/platform" ./internal/sandbox/standalone
    tar -c -C "$work/platform" standalone | engine import - platform >/dev/null
    engine run -d --name platform --network none platform /standalone -branch master -activity 40s >/dev/null
}

# daemon NAME OPTION... -- ARGUMENT... starts the image on the data volume.
daemon() {
    local name=$1 options=()
    shift
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    engine run -d --name "$name" --network container:platform "${hardened[@]}" "${options[@]}" \
        -v automatond:/var/lib/automatond -v "$PWD/examples/demo.yaml:/etc/automatond/demo.yaml:ro" \
        -e PLATFORM_PROJECT=shop -e PLATFORM_BRANCH=master -e PLATFORMSH_CLI_TOKEN=$token \
        -e PLATFORMSH_CLI_API_URL=http://127.0.0.1:8639 -e PLATFORMSH_CLI_AUTH_URL=http://127.0.0.1:8639 \
        automatond:amd64 "${@:2}" >/dev/null
}

state() { engine inspect -f "{{.State.$2}}" "$1"; }

# ask URL... gets pages from outside the containers.
ask() { nsenter -t "$(state platform Pid)" -n curl -sS --max-time 5 "$@"; }

answers() { ask -f -o /dev/null "http://127.0.0.1:$1" 2>/dev/null; }

ready() { answers "${probes[$1]}/-/ready"; }

metric() { ask -f "http://127.0.0.1:${pages[$1]}/metrics" | awk -v series="$2" '$1 == series {print $2}'; }

# logged NAME TEXT... finds a line of the container's log with all the texts in it.
logged() {
    local lines text
    lines=$(engine logs "$1" 2>&1)
    for text in "${@:2}"; do lines=$(grep -F -- "$text" <<<"$lines") || return 1; done
}

# eventually SECONDS NAME WHAT COMMAND... waits for something, while the container runs.
eventually() {
    local name=$2 what=$3
    happened() {
        [ "$(state "$name" Running)" = true ] || fail "waiting for \"$what\": the container $name ended"
        "$@"
    }
    within "$1" happened "${@:4}" || fail "waited in vain for: $what"
}

# stop NAME holds a container to exit status 0 within 10 s of SIGTERM.
stop() {
    local began=$EPOCHREALTIME took
    engine stop -t 15 "$1" >/dev/null
    took=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.1f", b - a}')
    [ "$(state "$1" ExitCode)" = 0 ] || fail "the container $1 ended with status $(state "$1" ExitCode) after SIGTERM"
    awk -v took="$took" 'BEGIN {exit took >= 10}' || fail "the container $1 took $took s to stop"
    echo "$1 stopped with status 0 after $took s"
}

# backups lists the requests for a backup that the platform got, by the minute in which they came.
backups() {
    ask -f http://127.0.0.1:8638/journal | awk '$2 == "POST" && $3 ~ /\/backup$/ {print substr($1, 1, 16)}'
}

asked() { [ "$(backups | wc -l)" -ge "$1" ]; }

healthy() { [ "$(state "$1" Health.Status)" = healthy ]; }

# test_first_steps runs the image as docs/container.md has it for a first look.
test_first_steps() {
    engine run -d --name look --network none "${hardened[@]}" --tmpfs /tmp \
        -v "$PWD/examples/demo.yaml:/etc/automatond/demo.yaml:ro" \
        automatond:amd64 run --config /etc/automatond --sandbox >/dev/null
    eventually 30 look "a start with --sandbox" logged look '"message":"started"'
    [ "$(engine exec look automatond healthcheck)" = healthy ] || fail "a command inside the container does not work"
    stop look
}

# test_replacement lets a cron fire, and replaces the container while the run is under way: the new
# one waits for the data directory, takes up the run, and asks for nothing again.
test_replacement() {
    daemon first --health-interval 1s --
    eventually 30 first "ready" ready first
    [ "$(stat -c %u "/proc/$(state first Pid)")" = 65532 ] || fail "the container does not run as 65532"
    local path
    for path in {${pages[first]},${probes[first]}}/{readyz,healthz,-/ready,-/healthy} ${pages[first]}/{,metrics}; do
        answers "$path" || fail "no good answer from port $path"
    done
    eventually 20 first "the engine's word that it is healthy" healthy first
    eventually 90 first "a dispatched task" logged first '"message":"task dispatched"' '"cron":"snapshot"'

    daemon second --no-healthcheck -- run --config /etc/automatond \
        --web.listen-address :${pages[second]} --probe.listen-address :${probes[second]}
    eventually 30 second "a word about the data directory" logged second 'data directory in use, waiting for it'
    ! ready second || fail "ready without the data directory"
    answers "${probes[second]}/-/healthy" || fail "not healthy while it waits"
    stop first
    ! logged first '"message":"run ended"' '"cron":"snapshot"' || fail "the run ended before the container was replaced"
    eventually 30 second "ready once the data directory is free" ready second
    ! logged second 'the store is empty' || fail "the state did not survive the container"
    eventually 90 second "the end of the run" logged second '"message":"run ended"' '"outcome":"succeeded"'
    echo "replaced in the middle of a run, which succeeded"
}

token_valid() { [ "$(metric second 'automatond_token_valid{user="default"}')" = "$1" ]; }

# test_revoked_token waits for the next fire, and takes the token away.
test_revoked_token() {
    eventually 90 second "the next fire" asked 2
    token_valid 1 || fail "automatond_token_valid is not 1 before the token is revoked"
    ask -f -X POST "http://127.0.0.1:8638/revoke?token=$token"
    eventually 90 second "automatond_token_valid 0" token_valid 0
    ready second || fail "not ready without a token"
    answers "${probes[second]}/-/healthy" || fail "not healthy without a token"
}

# minutes_from TIME N lists N minutes in a row.
minutes_from() {
    local start i
    start=$(date -u -d "$1Z" +%s)
    for ((i = 0; i < $2; i++)); do date -u -d "@$((start + 60 * i))" +%Y-%m-%dT%H:%M; done
}

# test_stop ends the last container and looks at what the platform was asked for, all in all.
test_stop() {
    local name
    stop second
    backups >"$work/backups"
    minutes_from "$(head -n 1 "$work/backups")" "$(wc -l <"$work/backups")" >"$work/minutes"
    diff "$work/minutes" "$work/backups" || fail "not exactly one request for a backup at each full minute"
    echo "one request at each of $(wc -l <"$work/backups") full minutes"
    for name in first second; do
        ! engine logs "$name" 2>&1 | grep -qF $token || fail "the API token is in the log of $name"
    done
}

show_containers() {
    local name
    for name in $(engine ps -a --format '{{.Names}}' 2>/dev/null); do
        echo "--- the end of the log of $name"
        engine logs --tail 30 "$name" 2>&1
    done
}
