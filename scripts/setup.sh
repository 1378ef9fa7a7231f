#!/bin/sh
# Installs what building, measuring, drawing and testing need, where it is missing: on Debian and
# Ubuntu by package name. Elsewhere it prints the list and changes nothing.
set -eu

build="gcc libc6-dev cmake ninja-build make git dpkg-dev file"
bench="python3 python3-scipy python3-pandas python3-jinja2 python3-tqdm gnuplot-nox
       fonts-dejavu-core hyperfine util-linux"
tests="clang clang-format clang-tidy libclang-rt-14-dev binutils locales strace linux-perf chromium
       python3-jsonschema flake8 mypy shellcheck libjemalloc2 libmimalloc2.0 libbenchmark-tools
       golang-golang-x-tools python3-junitparser qemu-system-x86 busybox"
windows="clang-19 lld-19 gcc-mingw-w64-x86-64-win32 wine wine64"

set -- # what is missing
if command -v dpkg-query >/dev/null 2>&1; then
    for package in $build $bench $tests $windows; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || set -- "$@" "$package"
    done
fi

if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: this is neither Debian nor Ubuntu. Install what these Debian packages hold:"
    for package in $build $bench $tests $windows; do
        printf '%s ' "$package"
    done
    echo
    exit 1
fi
if [ $# -eq 0 ]; then
    echo "setup: everything is installed"
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "setup: not root, and no sudo here. As root: apt-get install $*" >&2
        exit 1
    fi
    as_root=sudo
fi
echo "setup: installing $*"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
$as_root apt-get install -y -qq --no-install-recommends "$@"
echo "setup: done"
