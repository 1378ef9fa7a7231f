/* Windows does not tell how often the lock of an address space is taken. */
#include "system/meter.h"

int meter_open_locks(void)
{
    return -1;
}

struct meter_count meter_read_locks(int counter)
{
    (void)counter;
    return (struct meter_count){0, false};
}

void meter_close_locks(int counter)
{
    (void)counter;
}
