#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "system/meter.h"
#include "system/vm.h"

int log_open(struct log *log, const char *path)
{
    *log = (struct log){.start_ns = meter_clock_ns()};
    return output_create(path, &log->file);
}

void log_close(struct log *log)
{
    int error = output_close(&log->file);
    if (log->error == 0)
        log->error = error;
    free(log->text);
    log->text = NULL;
}

static bool make_room(struct log *log, size_t more)
{
    if (log->size - log->length >= more)
        return true;
    size_t size = (log->length + more) * 2;
    char *text = realloc(log->text, size);
    if (text == NULL) {
        log->error = vm_out_of_memory();
        return false;
    }
    log->text = text;
    log->size = size;
    return true;
}

void log_add(struct log *log, const char *format, ...)
{
    size_t room = log->size - log->length;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(room == 0 ? NULL : log->text + log->length, room, format, arguments);
    if (length >= 0 && (size_t)length >= room && make_room(log, (size_t)length + 1))
        vsnprintf(log->text + log->length, (size_t)length + 1, format, again);
    if (length >= 0 && (size_t)length < log->size - log->length)
        log->length += (size_t)length;
    va_end(again);
    va_end(arguments);
}

void log_add_escaped(struct log *log, const char *text)
{
    for (; *text != '\0'; text++)
        log_add(log, *text > ' ' && *text != '%' && *text != 127 ? "%c" : "%%%02X",
                (unsigned char)*text);
}

void log_add_time(struct log *log)
{
    log_add(log, " %" PRIu64, (meter_clock_ns() - log->start_ns) / 1000);
}

void log_add_runs(struct log *log, const struct runs *runs)
{
    uint64_t page = vm_page_bytes(), before = 0;
    for (size_t i = 0; i < runs->count; i++) {
        log_add(log, " %" PRIx64 "+%" PRIx64, (runs->items[i].start - before) / page,
                (runs->items[i].end - runs->items[i].start) / page);
        before = runs->items[i].end;
    }
}

void log_end(struct log *log)
{
    log_add(log, "\n");
    if (log->error == 0)
        log->error = output_write(&log->file, log->text, log->length);
    log->length = 0;
}
