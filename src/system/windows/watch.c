/* A process by its handle, and not as a debugger, under which a program gets another heap; Ctrl-C
 * by an event. */
#include "system/watch.h"

#include <windows.h>

#include "system/windows/process.h"

static HANDLE asked;

static BOOL WINAPI on_control(DWORD event)
{
    (void)event;
    return SetEvent(asked);
}

int watch_attach(uint64_t process, struct watch *watch)
{
    HANDLE handle = process > UINT32_MAX
                        ? NULL
                        : OpenProcess(SYNCHRONIZE | PROCESS_QUERY_INFORMATION | PROCESS_VM_READ,
                                      FALSE, (DWORD)process);
    if (handle == NULL)
        return process > UINT32_MAX ? ERROR_INVALID_PARAMETER : (int)GetLastError();
    asked = CreateEventA(NULL, TRUE, FALSE, NULL);
    if (asked == NULL || !SetConsoleCtrlHandler(on_control, TRUE))
        return (int)GetLastError();
    *watch =
        (struct watch){.process = process, .handle = (intptr_t)handle, .asked = (intptr_t)asked};
    return 0;
}

int watch_beside(uint64_t process, struct watch *watch)
{
    (void)process;
    (void)watch;
    return ERROR_CALL_NOT_IMPLEMENTED;
}

void watch_close(struct watch *watch)
{
    (void)watch;
}

bool watch_knows_children(void)
{
    return false;
}

void watch_children(uint64_t process, void (*each)(uint64_t child, void *context), void *context)
{
    (void)process;
    (void)each;
    (void)context;
}

int watch_start(char **words, struct watch *watch)
{
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    asked = CreateEventA(NULL, TRUE, FALSE, NULL);
    if (asked == NULL || !CreateProcessA(NULL, process_command_line(words), NULL, NULL, TRUE, 0,
                                         NULL, NULL, &startup, &child))
        return (int)GetLastError();
    CloseHandle(child.hThread);
    SetConsoleCtrlHandler(NULL, TRUE); /* after the child was made, which would inherit that */
    *watch = (struct watch){.process = child.dwProcessId,
                            .handle = (intptr_t)child.hProcess,
                            .asked = (intptr_t)asked,
                            .started = true};
    return 0;
}

bool watch_no_program(int error)
{
    return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND;
}

enum watch_event watch_wait(struct watch *watch, uint64_t ms)
{
    HANDLE handles[] = {(HANDLE)watch->handle, (HANDLE)watch->asked};
    DWORD woken = WaitForMultipleObjects(2, handles, FALSE, (DWORD)ms), status = 0;
    if (woken == WAIT_TIMEOUT)
        return WATCH_LATER;
    if (woken != WAIT_OBJECT_0)
        return WATCH_ASKED;
    GetExitCodeProcess((HANDLE)watch->handle, &status);
    watch->status = (int)status;
    return WATCH_ENDED;
}

/* Soft and hard faults together are given as minor ones. */
void watch_count(const struct watch *watch, struct watch_counts *counts)
{
    PROCESS_MEMORY_COUNTERS_EX memory;
    *counts = (struct watch_counts){0};
    if (process_under_wine())
        return;
    counts->cpu_ns.known = process_cpu_ns((HANDLE)watch->handle, &counts->cpu_ns.value) == 0;
    if (process_read((HANDLE)watch->handle, &memory) != 0)
        return;
    counts->minor_faults = (struct meter_count){memory.PageFaultCount, true};
    counts->most_resident_bytes = (struct meter_count){memory.PeakWorkingSetSize, true};
}

void watch_path(const struct watch *watch, char *path, size_t size)
{
    DWORD length = (DWORD)size;
    if (!QueryFullProcessImageNameA((HANDLE)watch->handle, 0, path, &length))
        path[0] = '\0';
}

int watch_end(const struct watch *watch)
{
    return watch->status;
}
