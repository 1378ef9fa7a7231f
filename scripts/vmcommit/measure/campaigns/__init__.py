"""What `make bench CAMPAIGN=NAME` may be asked: a module of this package each."""

from vmcommit.measure.campaigns import (commit, recording, release, surroundings, threads,
                                        whole)
from vmcommit.measure.campaigns.topic import Scene, Topic

__all__ = ["CAMPAIGNS", "RECORDING", "WHOLE", "Scene", "Topic"]
WHOLE, RECORDING = "whole", "recording"
CAMPAIGNS = {WHOLE: whole.TOPIC, "commit": commit.TOPIC, "release": release.TOPIC,
             "surroundings": surroundings.TOPIC, "threads": threads.TOPIC,
             RECORDING: recording.TOPIC}
