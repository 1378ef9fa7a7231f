"""vmcommit with one more profile: `tiny`, which measures little and so takes little time. That it
works shows that a profile is added in one place."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))

from vmcommit import __main__  # noqa: E402


def profile():
    from vmcommit.base.units import KIB, MIB
    from vmcommit.measure.profiles import Profile
    return Profile(0.5, 0, (4 * KIB, 64 * KIB, MIB), MIB, (4 * KIB, 64 * KIB, 256 * KIB), (MIB,),
                   3, 0, 0.05, 0.1, 0.2, 2, MIB, 9, 256 * KIB, 1, 1, 0.5)


def add():
    from vmcommit.measure import profiles
    profiles.PROFILES["tiny"] = profile()


if __name__ == "__main__":
    __main__.heed(__main__.leave)
    add()
    sys.exit(__main__.main())
