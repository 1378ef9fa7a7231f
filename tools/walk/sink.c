/* A buffer before an output. */
#include "sink.h"

void sink_start(struct sink *sink, struct output output)
{
    sink->output = output;
    sink->error = 0;
    sink->text = text_in(sink->bytes, sizeof sink->bytes);
}

void sink_discard(struct sink *sink)
{
    sink->text = text_in(sink->bytes, sizeof sink->bytes);
}

int sink_flush(struct sink *sink)
{
    if (sink->error == 0)
        sink->error = output_write(&sink->output, sink->bytes, sink->text.length);
    sink_discard(sink);
    return sink->error;
}

struct text *sink_piece(struct sink *sink)
{
    if (sink->text.size - sink->text.length <= SINK_PIECE_BYTES)
        sink_flush(sink);
    return &sink->text;
}
