"""The columns of samples.csv that analysis rests on; docs/columns.md tells each one's meaning."""

PHASES = ("reserve_ns", "commit_ns", "touch_ns", "release_ns")
LATENCIES = (*PHASES, "total_ns")
COUNTS = ("commit_calls", "handled_faults", "minor_faults", "major_faults",
          "reserved_commit_bytes", "commit_bytes", "commit_process_bytes", "resident_bytes",
          "released_commit_bytes", "region_count")
# Of rows that give back what they touched.
PURGE_LATENCIES = ("purge_ns", "retouch_ns")
PURGE_MEMORY = ("retouch_minor_faults", "purged_commit_bytes", "purged_resident_bytes",
                "purged_table_bytes", "purged_region_count", "retouched_commit_bytes",
                "retouched_region_count")
PURGE_COUNTS = ("purge_calls", *PURGE_MEMORY)
# Where a cycle's time stands: of one thread, and of several, from the first one's start to the last
# one's end.
CYCLE_NS = {False: "total_ns", True: "wall_ns"}
# What several threads did, of all of them.
OF_THREADS = ("cpu_ns", "wall_ns", "voluntary_switches", "involuntary_switches", "lock_count")
# What a cycle with readings of memory tells, and others leave empty.
MEMORY = ("reserved_commit_bytes", "commit_bytes", "commit_system_bytes", "commit_process_bytes",
          "resident_bytes", "released_commit_bytes", "region_count", *PURGE_MEMORY)
# The most at any moment, of a harness that may come to less before the end.
AT_MOST = ("most_commit_bytes", "most_resident_bytes")
# What the conductor of turns adds to a harness's row.
TURNS = ("turns", "disturbed_turns", "undisturbed_ns")
STATUSES = ("ok", "refused", "unsupported", "skipped")
MANNER = ("commit_kind", "growth", "purge", "purge_step_bytes", "threads", "share")
CELL = ("strategy", "size_bytes", "touched_bytes", "chunk_bytes", "touch_order", "pages", *MANNER)
# All that defines a configuration; and what it shares with the one that it is compared with.
FIRST = ("strategy", "platform", "pages", "page_bytes", "size_bytes", "chunk_bytes",
         "touched_bytes", "guard", "trap", "touch_order")
CONFIGURATION = (*FIRST, *MANNER)
COMPARED = ("platform", "page_bytes", "size_bytes", "touched_bytes", "touch_order")
SIZES = ("page_bytes", "size_bytes", "chunk_bytes", "touched_bytes")
# What a run needs to be read at all.
NUMBERS = ("batch", "page_bytes", "size_bytes", "chunk_bytes", "touched_bytes", "round",
           *LATENCIES, *COUNTS, "commit_system_bytes")
NEEDED = (*FIRST, "round", "status", "error", "batch", *LATENCIES, *COUNTS,
          "commit_system_bytes")
# What a file of details/ needs: texts, numbers, and numbers that a system may be unable to give.
DETAILS = {
    "staircase": (("strategy",), ("size_bytes", "chunk_bytes", "touched_bytes"),
                  ("commit_bytes", "resident_bytes")),
    "calls": (("call", "state", "status"), ("size_bytes", "repeat", "mappings"),
              ("ns", "commit_bytes", "region_count", "resident_bytes", "locked_bytes",
               "answered_bytes")),
    "list": (("source", "growth", "status"), ("node_bytes", "nodes", "chunk_bytes", "repeat"),
             ("append_node_ns", "traverse_node_ns", "free_node_ns", "release_ns", "commit_bytes")),
    "buffer": (("way", "status"), ("size_bytes", "packet_bytes", "bytes", "repeat"),
               ("ns", "hits", "episodes", "hit_p50_ns", "hit_p99_9_ns", "throttled_ns")),
    "surroundings": (("part", "subject", "guard", "way", "state", "status", "error", "outcome",
                      "limit"), ("repeat",),
                     ("size_bytes", "returned_bytes", "stored_bytes", "left_bytes",
                      "handled_faults", "ns", "commit_bytes", "region_count", "resident_bytes",
                      "table_bytes", "minor_faults", "copy_commit_bytes", "copy_faults", "copy_ns",
                      "count", "most")),
    "recording": (("strategy", "platform", "pages", "touch_order", "commit_kind", "growth", "purge",
                   "share", "status", "error"),
                  ("page_bytes", "size_bytes", "chunk_bytes", "touched_bytes", "round", "threads"),
                  ("set", "total_ns", "undisturbed_ns", "purge_step_bytes", "commit_calls",
                   "purge_calls", "minor_faults", *AT_MOST, "commit_bytes", "resident_bytes",
                   "region_count")),
    "limited": (("strategy", "platform", "status"), ("size_bytes", "limit_bytes"), ()),
    "supported": (("strategy", "option", "kind", "status"), (), ()),
    "trace": (("strategy",), ("touch", "page", "ns"), ()),
    "samples": (("strategy", "status", "touch_order", "pages"), (*SIZES, "round"),
                ("touch_p999_ns",)),
}
# What earlier runs did not write there, and what it was: columns by file.
EARLIER = {"calls": {"status": "ok", "mappings": "0"} | dict.fromkeys(
    ("commit_bytes", "region_count", "resident_bytes", "locked_bytes", "answered_bytes"), ""),
    "samples": dict.fromkeys((*MANNER, *PURGE_LATENCIES, *PURGE_COUNTS, *OF_THREADS), "")}
# Joined to rows when they are read, from what the strategies say of themselves; in no file.
JOINED = ("rank", "stepped", "brought", "plain")
