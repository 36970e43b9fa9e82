# Sourced by the scripts beside it.

fail() {
    echo "$*" >&2
    exit 1
}

# step NAME COMMAND... runs a part of a check, and says how long it took. While it runs, $current
# has its name.
step() {
    current=$1
    local began=$SECONDS
    printf '\n=== %s\n' "$current"
    "${@:2}"
    printf -- '--- %s: %d s\n' "$current" $((SECONDS - began))
}

# within tries a command once a second until it succeeds, for so many seconds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 1
    done
}

alive() { kill -0 "$1" 2>/dev/null; }

gone() { ! alive "$1"; }

# end stops processes of ours by id, and insists after 20 s. An empty id is nobody's.
end() {
    local pid
    for pid in "$@"; do
        [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    done
    for pid in "$@"; do
        [ -n "$pid" ] || continue
        within 20 gone "$pid" || kill -9 "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}
