"""What `make bench CAMPAIGN=NAME` may be asked: a module of this package each."""

from vmcommit.measure.campaigns import commit, release, surroundings, threads, whole
from vmcommit.measure.campaigns.topic import Scene, Topic

__all__ = ["CAMPAIGNS", "WHOLE", "Scene", "Topic"]
WHOLE = "whole"
CAMPAIGNS = {WHOLE: whole.TOPIC, "commit": commit.TOPIC, "release": release.TOPIC,
             "surroundings": surroundings.TOPIC, "threads": threads.TOPIC}
