"""`vmcommit COMMAND`. Modules are loaded late, so that even an early Ctrl-C ends in one line."""

import os
import sys

if not __package__:  # run by its folder, as scripts/python.sh does
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

if __name__ == "__main__":
    try:
        from vmcommit.commands import edge
        sys.exit(edge.main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("vmcommit: interrupted; nothing was measured", file=sys.stderr)
        sys.exit(130)
