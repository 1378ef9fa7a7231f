#!/bin/sh
# What can be said of the sources without building them: formatting, Python, types at the seams,
# shell scripts. Prints what is wrong and ends with status 1.
set -eu
cd "$(dirname "$0")/.."

clang-format --dry-run --Werror bench/*.c include/*.h src/*.[ch] src/system/*.[ch] \
    src/system/*/*.[ch] tools/*.[ch] tools/*/*.[ch] \
    tests/c/*.[ch] tests/c/*/*.[ch] tests/fuzz/*.[ch]
flake8 scripts tests
mypy scripts/vmcommit
shellcheck scripts/*.sh scripts/compare scripts/predict scripts/report scripts/vmcommit.in \
    scripts/installed.in scripts/one-host .ci/run
echo "lint: nothing to say"
