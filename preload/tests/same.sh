# Sourced: same NAME COMMAND… compares output and exit status with those without LIBRARY ($library, in $work).
failed=0
same() {
    name=$1
    shift
    plain=0
    preloaded=0
    "$@" >"$work/plain" 2>"$work/plain.err" || plain=$?
    LD_PRELOAD=$library "$@" >"$work/preloaded" 2>"$work/preloaded.err" || preloaded=$?
    if [ "$plain" = "$preloaded" ] && cmp -s "$work/plain" "$work/preloaded"; then
        echo "ok      $name"
    else
        echo "FAILED  $name: status $plain and $preloaded: $*"
        diff "$work/plain" "$work/preloaded" | head -n 3 || true
        tail -n 3 "$work/preloaded.err"
        failed=1
    fi
}
