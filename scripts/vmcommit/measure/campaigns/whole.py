"""The campaign that `make bench` carries out where no other is named: the four strategies first,
and the other questions in brief."""

import shutil

from vmcommit.measure import details, process_times, profiles, workloads
from vmcommit.measure.campaigns import commit, release, threads
from vmcommit.measure.campaigns.topic import Topic, whole_profile


def configurations(profile, available, strategies):
    return list(dict.fromkeys([*profiles.configurations(profile, available, strategies),
                               *commit.brief(profile, strategies),
                               *release.brief(profile, strategies),
                               *threads.brief(profile, strategies)]))


def whole_processes(scene):
    if not shutil.which("hyperfine"):
        return
    built_in = [each for each in scene.harnesses.values() if not each.strategy.brought]
    process_times.measure(built_in, scene.folder, scene.profile.sweep_size,
                          scene.profile.process_runs, scene.seed, scene.shown)


def traces_and_stairs(scene):
    details.measure(scene.harnesses, scene.profile, scene.available, scene.folder, scene.seed,
                    scene.failed, scene.shown)


def single_calls(scene):
    details.measure_calls(scene.program("calls"), scene.profile, scene.folder, scene.seed,
                          scene.shown)


def lists(scene):
    if not scene.emulated:  # a program takes an emulator long to start
        workloads.measure_list(scene.program("list"), scene.profile, scene.folder, scene.seed,
                               scene.shown)


def buffers(scene):
    if not scene.emulated:  # whose times mean nothing
        workloads.measure_buffer(scene.program("buffer"), scene.profile, scene.folder, scene.seed,
                                 scene.shown)


def seconds_of_details(profile, page_ns):
    """Half of the profile's at most, on a machine however slow."""
    return min(profile.detail_pages * page_ns / 1e9, profile.seconds / 2)


TOPIC = Topic("everything, the four strategies first", configurations,
              steps=(whole_processes, traces_and_stairs, single_calls, lists),
              after=seconds_of_details, unpinned=(buffers,), profile=whole_profile)
