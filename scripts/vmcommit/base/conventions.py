"""The numbers that the suite has settled on, each in this place alone."""

from vmcommit.base.units import KIB, MIB

DEFAULT_STEP = 64 * KIB
ALL_TOUCHED = "1"
HALF_TOUCHED = "0.5"
SPARSELY_TOUCHED = "0.1"  # rounded up to pages
SPARSE_BELOW = 0.25  # so much of a region touched counts as sparse
SPARSE_FROM = 1 * MIB  # the smallest region that is also touched sparsely
TOUCH_NAMES = {ALL_TOUCHED: "all", HALF_TOUCHED: "half", SPARSELY_TOUCHED: "a tenth"}
ORDERS = ("sequential", "reverse", "random", "alternate")

CONFIDENCE = 0.95  # of an interval, or of all intervals that are asked for together
ANSWER_CONFIDENCE = 0.999  # of all comparisons behind one question of the answer
GATE_CONFIDENCE = 0.99  # of all that is compared together

NARROW = 0.02  # a ratio that is known less well than within 2 % is named
CLOSE = 0.03  # what is above another by no more is close to it, and a gain no larger is none
THRESHOLD = 0.02  # slower by less than this is no regression
DRIFT = 0.25  # what a shared machine's times may drift by between runs

COUNTED_ROUNDS = 2  # of sets, in which memory is read: what it tells is exact
LEAST_SETS = 20  # of a cell that is compared, so that ranks can decide among twenty

WORST_TOUCH = 0.999  # the share of touches that a worst touch stays within
WORST_CLOSE = 0.1  # worst touches vary by as much and more from process to process
