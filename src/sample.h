/* A sample: some cycles of one strategy over one configuration, timed as a batch and counted. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "strategy.h"
#include "system/meter.h"
#include "workload.h"

/* What defines a sample, its strategy and round apart. In bytes, whole pages. */
struct configuration {
    size_t size;
    size_t step;
    size_t touched;
    enum workload_order order;
};

enum sample_status { SAMPLE_OK, SAMPLE_REFUSED, SAMPLE_UNSUPPORTED, SAMPLE_SKIPPED };

enum phase { PHASE_RESERVE, PHASE_COMMIT, PHASE_TOUCH, PHASE_RELEASE, PHASE_COUNT };

struct sample {
    enum sample_status status;
    char error[256]; /* why the status is not ok */
    uint64_t batch;  /* cycles timed together */

    uint64_t phase_ns[PHASE_COUNT]; /* of the whole batch; meant only if ok */

    /* Of the whole batch; of the one cycle that was refused, up to there. */
    uint64_t commit_calls;
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
};

/* Runs a small cycle unseen, so that the code, stack and buffers of the first sample are in memory
 * and their page faults in no row. */
void sample_prepare(const struct strategy *strategy);

/* Takes one sample; `seed` is of a random order. Returns false if something broke that is not a
 * refusal; sample->error says what. */
bool sample_take(const struct strategy *strategy, const struct configuration *configuration,
                 uint64_t seed, struct sample *sample);

/* How touch times are spread, in ns: the smallest time that this part of the touches stays within.
 */
struct sample_trace {
    uint64_t p50_ns, p90_ns, p99_ns, p999_ns, max_ns;
    uint64_t touch_ns;        /* of the traced cycle, to hold against the sample's */
    struct workload workload; /* with the touches one by one */
};

/* One more cycle, in which each touch is timed. To be freed by sample_trace_free. Returns false if
 * it could not be carried through. */
bool sample_trace(const struct strategy *strategy, const struct configuration *configuration,
                  uint64_t seed, struct sample_trace *trace);
void sample_trace_free(struct sample_trace *trace);

/* What the system says of the region when so much of it has been touched. */
struct sample_checkpoint {
    size_t touched;
    uint64_t commit_bytes;
    struct meter_count resident_bytes;
    uint64_t region_count;
    uint64_t commit_calls;
    uint64_t handled_faults;
};
enum { SAMPLE_CHECKPOINTS = 64 };

/* One more cycle, held up at SAMPLE_CHECKPOINTS even distances. Returns how many it reached. */
size_t sample_staircase(const struct strategy *strategy, const struct configuration *configuration,
                        uint64_t seed, struct sample_checkpoint *checkpoints);

#endif
