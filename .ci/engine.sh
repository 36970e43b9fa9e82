# Sourced by .ci/image: a container engine of the check's own, without a bridge and without a
# registry. Everything it writes lies below $work.

engine_pid=

# Debian's client fits Debian's engine; another one in front of it may lack BuildKit.
docker=/usr/bin/docker
[ -x $docker ] || docker=docker

engine() { DOCKER_HOST="unix://$work/engine.sock" DOCKER_BUILDKIT=1 "$docker" --config "$work/client" "$@"; }

engine_answers_or_is_gone() { engine version >/dev/null 2>&1 || ! alive "$engine_pid"; }

start_engine() {
    dockerd --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/engine.pid" \
        -H "unix://$work/engine.sock" --bridge=none --iptables=false --ip6tables=false >"$work/engine.log" 2>&1 &
    engine_pid=$!
    within 60 engine_answers_or_is_gone && alive "$engine_pid" ||
        fail "the container engine did not start, so the image cannot be checked"
    engine info --format 'engine {{.ServerVersion}} on {{.Driver}}'
}

# stop_engine removes every container, ends the engine, and unmounts what it may have left.
stop_engine() {
    [ -n "$engine_pid" ] || return 0
    engine ps -aq 2>/dev/null >"$work/containers" || true
    while read -r id; do engine rm -f "$id" >/dev/null 2>&1 || true; done <"$work/containers"
    end "$engine_pid"
    awk -v d="$work/" 'index($2, d) == 1 {print $2}' /proc/mounts | sort -r | xargs -r -n1 umount || true
}

# import_builder makes an image of this machine's Go, BusyBox and the CA bundle, in place of the one
# that the Dockerfile would take from a registry.
import_builder() {
    local goroot root=$work/root command
    goroot=$(go env GOROOT)
    mkdir -p "$root"/{bin,tmp,root,etc/ssl/certs}
    cp "$(command -v busybox)" "$root/bin/busybox"
    for command in sh mkdir; do ln -s busybox "$root/bin/$command"; done
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    tar -c -C "$root" . -C / --exclude="${goroot#/}/test" "${goroot#/}" |
        engine import --change "ENV PATH=$goroot/bin:/bin GOTOOLCHAIN=local" - "$1" >/dev/null
}
