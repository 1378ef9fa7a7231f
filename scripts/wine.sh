#!/bin/sh
# Holds a Wine session open around programs that run through Wine: the services that a first program
# starts would else keep its output open, and each program would start them anew.
#
# usage: wine.sh start|stop WINE; wine.sh within WINE COMMAND...
set -eu
if ! server=$(command -v wineserver || command -v /usr/lib/wine/wineserver64); then
    echo "wine.sh: wineserver is missing: run ./scripts/setup.sh" >&2
    exit 1
fi

start() {
    mkdir -p "$WINEPREFIX"
    "$server" -p
    "$1" wineboot --init
}

stop() {
    "$server" -k || true
}

action=$1
wine=$2
shift 2
case $action in
start) start "$wine" >/dev/null 2>&1 </dev/null ;;
stop) stop >/dev/null 2>&1 </dev/null ;;
within)
    start "$wine" >/dev/null 2>&1 </dev/null
    status=0
    "$@" || status=$?
    stop >/dev/null 2>&1 </dev/null
    exit "$status"
    ;;
esac
