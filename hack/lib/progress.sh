# Progress on stderr, for everything under hack/ that takes long. Sourced, never run.

# say WORDS...: one line for the person who waits.
say() { printf '%s\n' "$*" >&2; }

# die WORDS...: say what is wrong and leave.
die() {
    say "error: $*"
    exit 1
}

# step TITLE COMMAND...: runs COMMAND with its output in a log file, and shows that it is alive and how long it took.
# Fails with the end of the log when COMMAND fails.
step() {
    local title=$1 log start=$SECONDS ticker status=0
    shift
    mkdir -p "$EIPD_CACHE/log"
    log="$EIPD_CACHE/log/$(printf '%s' "$title" | tr -cs 'A-Za-z0-9.' '-').log"
    say "$title ..."
    tick "$title" "$start" &
    ticker=$!
    "$@" >"$log" 2>&1 </dev/null || status=$?
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    if [ "$status" -ne 0 ]; then
        say "$title: failed after $((SECONDS - start)) s; the end of $log:"
        tail -n 30 "$log" >&2
        return "$status"
    fi
    say "$title: done in $((SECONDS - start)) s"
}

# tick TITLE START: a line every 15 s while the script lives. It waits by `read`, for a `sleep` would outlive it.
tick() {
    local never
    exec {never}<> <(:)
    while kill -0 $$ 2>/dev/null; do
        read -r -t 15 -u "$never" || say "  $1: $((SECONDS - $2)) s so far"
    done
}
