#!/bin/sh
# Runs a Python program with the first interpreter that has the modules behind `make bench`, as
# cmake/FindBenchPython.cmake finds it: python.sh PROGRAM ARGUMENT...
for python in "${VMCOMMIT_PYTHON:-}" python3 /usr/bin/python3 python; do
    if [ -n "$python" ] && "$python" -c "import scipy, pandas, jinja2, tqdm" 2>/dev/null; then
        exec "$python" "$@"
    fi
done
echo "vmcommit: no Python here has scipy, pandas, jinja2 and tqdm: run ./scripts/setup.sh" >&2
exit 1
