/* Faults on Windows are exceptions, caught by a frame (seh) or by a handler that the system asks
 * before it looks at any frame (veh). Both stay only for the time of one trap_run. */
#include "system/trap.h"

#include <string.h>
#include <windows.h>

const struct kind trap_kinds[] = {{"seh", 0}, {"veh", 1}, {NULL, 0}};
static bool vectored;

static struct {
    trap_handler handler;
    void *context;
    bool abandoned;
} active;

bool trap_choose(const char *name)
{
    vectored = strcmp(name, "veh") == 0;
    return vectored || strcmp(name, "seh") == 0;
}

const char *trap_name(void)
{
    return vectored ? "veh" : "seh";
}

/* For both codes the second parameter is the address that was wanted (EXCEPTION_RECORD). */
static LONG answer(const EXCEPTION_POINTERS *exception)
{
    const EXCEPTION_RECORD *record = exception->ExceptionRecord;
    if (record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION &&
        record->ExceptionCode != STATUS_GUARD_PAGE_VIOLATION)
        return EXCEPTION_CONTINUE_SEARCH;
    switch (active.handler(active.context, (const void *)record->ExceptionInformation[1])) {
    case TRAP_RETRY: return EXCEPTION_CONTINUE_EXECUTION;
    case TRAP_ABANDON: return EXCEPTION_EXECUTE_HANDLER;
    case TRAP_FOREIGN: break;
    }
    return EXCEPTION_CONTINUE_SEARCH;
}

/* A vectored handler can't leave the body: it leaves that to the frame below. */
static LONG CALLBACK answer_vectored(EXCEPTION_POINTERS *exception)
{
    LONG answered = answer(exception);
    if (answered != EXCEPTION_EXECUTE_HANDLER)
        return answered;
    active.abandoned = true;
    return EXCEPTION_CONTINUE_SEARCH;
}

static LONG answer_frame(const EXCEPTION_POINTERS *exception)
{
    if (!vectored)
        return answer(exception);
    return active.abandoned ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}

int trap_run(void (*body)(void *), trap_handler handler, void *context, bool *completed)
{
    void *registered = NULL;
    active.handler = handler;
    active.context = context;
    active.abandoned = false;
    *completed = false;
    if (vectored) {
        registered = AddVectoredExceptionHandler(1, answer_vectored);
        if (registered == NULL)
            return (int)GetLastError();
    }
    __try {
        body(context); /* through a pointer: clang catches only what a called function raises */
        *completed = true;
    } __except (answer_frame(GetExceptionInformation())) {
    }
    if (registered != NULL)
        RemoveVectoredExceptionHandler(registered);
    return 0;
}
