/* Faults on Windows are exceptions, caught by a frame (seh) or by a handler that the system asks
 * before it looks at any frame (veh). Both stay only while a trap runs. */
#include "system/trap.h"

#include <windows.h>

const struct kind trap_kinds[] = {{"seh", TRAP_SEH}, {"veh", TRAP_VEH}, {NULL, 0}};

struct trap {
    enum trap_kind kind;
    trap_handler handler;
    void *context;
    bool abandoned;
};
static __declspec(thread) struct trap *current; /* this thread's, or NULL */

/* The vectored handler, which all threads share. */
static SRWLOCK counting = SRWLOCK_INIT;
static void *registered;
static unsigned vectored_traps;

/* For both codes the second parameter is the address that was wanted (EXCEPTION_RECORD). */
static LONG answer(const struct trap *trap, const EXCEPTION_POINTERS *exception)
{
    const EXCEPTION_RECORD *record = exception->ExceptionRecord;
    if (record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION &&
        record->ExceptionCode != STATUS_GUARD_PAGE_VIOLATION)
        return EXCEPTION_CONTINUE_SEARCH;
    switch (trap->handler(trap->context, (const void *)record->ExceptionInformation[1])) {
    case TRAP_RETRY: return EXCEPTION_CONTINUE_EXECUTION;
    case TRAP_ABANDON: return EXCEPTION_EXECUTE_HANDLER;
    case TRAP_FOREIGN: break;
    }
    return EXCEPTION_CONTINUE_SEARCH;
}

/* A vectored handler can't leave the body: it leaves that to the frame below. */
static LONG CALLBACK answer_vectored(EXCEPTION_POINTERS *exception)
{
    if (current == NULL || current->kind != TRAP_VEH)
        return EXCEPTION_CONTINUE_SEARCH;
    LONG answered = answer(current, exception);
    if (answered != EXCEPTION_EXECUTE_HANDLER)
        return answered;
    current->abandoned = true;
    return EXCEPTION_CONTINUE_SEARCH;
}

static LONG answer_frame(const EXCEPTION_POINTERS *exception)
{
    if (current->kind == TRAP_SEH)
        return answer(current, exception);
    return current->abandoned ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}

static int add_vectored(void)
{
    int error = 0;
    AcquireSRWLockExclusive(&counting);
    if (vectored_traps == 0)
        registered = AddVectoredExceptionHandler(1, answer_vectored);
    if (registered == NULL)
        error = (int)GetLastError();
    else
        vectored_traps++;
    ReleaseSRWLockExclusive(&counting);
    return error;
}

static void remove_vectored(void)
{
    AcquireSRWLockExclusive(&counting);
    if (--vectored_traps == 0) {
        RemoveVectoredExceptionHandler(registered);
        registered = NULL;
    }
    ReleaseSRWLockExclusive(&counting);
}

int trap_run(enum trap_kind kind, void (*body)(void *), trap_handler handler, void *context,
             bool *completed)
{
    struct trap trap = {.kind = kind, .handler = handler, .context = context};
    int error = kind == TRAP_VEH ? add_vectored() : 0;
    *completed = false;
    if (error != 0)
        return error;
    current = &trap;
    __try {
        body(context); /* through a pointer: clang catches only what a called function raises */
        *completed = true;
    } __except (answer_frame(GetExceptionInformation())) {
    }
    current = NULL;
    if (kind == TRAP_VEH)
        remove_vectored();
    return 0;
}
