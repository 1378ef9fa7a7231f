/* A sample: some cycles of one strategy over one configuration, timed as a batch and counted. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "strategy.h"
#include "system/meter.h"

enum sample_status { SAMPLE_OK, SAMPLE_REFUSED, SAMPLE_UNSUPPORTED, SAMPLE_SKIPPED };

/* In the order of a cycle. */
enum phase {
    PHASE_RESERVE,
    PHASE_COMMIT,
    PHASE_TOUCH,
    PHASE_PURGE,
    PHASE_RETOUCH,
    PHASE_RELEASE,
    PHASE_COUNT
};

struct sample {
    enum sample_status status;
    char error[256]; /* why the status is not ok */
    uint64_t batch;  /* cycles timed together */

    uint64_t
        phase_ns[PHASE_COUNT]; /* of the whole batch, a thread's on average; meant only if ok */

    /* Of the whole batch; of the one cycle that was refused, up to there. */
    uint64_t commit_calls;
    uint64_t purge_calls;
    uint64_t handled_faults;
    struct meter_count minor_faults;
    struct meter_count major_faults;

    /* Bytes, of one cycle, against before its reserve. */
    struct meter_count reserved_commit_bytes;
    struct meter_count commit_bytes;
    struct meter_count commit_system_bytes;
    struct meter_count commit_process_bytes;
    struct meter_count resident_bytes;
    struct meter_count released_commit_bytes;
    struct meter_count region_count;

    /* The same once it was given back, and once it was touched again. */
    struct meter_count purged_commit_bytes;
    struct meter_count purged_resident_bytes;
    struct meter_count purged_table_bytes;
    struct meter_count purged_region_count;
    struct meter_count retouched_commit_bytes;
    struct meter_count retouched_region_count;
    struct meter_count retouch_minor_faults;

    /* Of the whole batch: from the first thread's start to the last one's end; of all threads. */
    uint64_t wall_ns;
    struct meter_count cpu_ns;
    struct meter_count voluntary_switches;
    struct meter_count involuntary_switches;
    struct meter_count lock_count; /* of one cycle, counted by itself */

    /* The same, of one cycle that looks for it. */
    struct meter_count most_commit_bytes;
    struct meter_count most_resident_bytes;
};

struct cycle;

/* Runs a small cycle that is discarded, so that the code, stack and buffers of the first sample are
 * in memory and their page faults in no row. Of the configuration it takes all but the sizes. */
void sample_prepare(const struct strategy *strategy, const struct configuration *configuration);

/* Takes one sample; `seed` is of a random order. Where the strategy's memory comes in blocks, the
 * order must be sequential. Returns false if something broke that is not a refusal; sample->error
 * says what. */
bool sample_take(const struct strategy *strategy, const struct configuration *configuration,
                 uint64_t seed, struct sample *sample);

/* Lists the touches of such samples, to be freed by workload_free; `seed` is of a random order.
 * False if this machine can't take them now: the sample's status and error say why not. */
bool sample_possible(const struct strategy *strategy, const struct configuration *configuration,
                     uint64_t seed, struct workload *workload, struct sample *sample);

/* Keeps the memory that a cycle with readings of it has read. */
void sample_keep_memory(struct cycle *cycle);

/* Keeps what a cycle had reached when the system refused to go on, then lets go of it. False if it
 * was no refusal; the sample's error says what it was. */
bool sample_refuse(struct cycle *cycle, int error);

#endif
