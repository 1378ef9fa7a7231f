/* A process that is debugged, and stands still at EXIT_PROCESS_DEBUG_EVENT, before its address
 * space goes. What else a debugger is told of is passed on. */
#include "system/program.h"

#include <stdio.h>
#include <string.h>

#include "system/vm.h"
#include "system/windows/process.h"

const char program_gone[] = "under Wine, nothing of a process is left when a debugger is told";

bool program_start(char **words, struct program *program, char *why, size_t size)
{
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    char system[256];
    if (!CreateProcessA(NULL, process_command_line(words), NULL, NULL, TRUE,
                        DEBUG_ONLY_THIS_PROCESS, NULL, NULL, &startup, &child)) {
        vm_error_text((int)GetLastError(), system, sizeof system);
        snprintf(why, size, "cannot start '%s': %s", words[0], system);
        return false;
    }
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);
    SetConsoleCtrlHandler(NULL, TRUE); /* after the child was made, which would inherit that */
    *program = (struct program){.process = child.dwProcessId};
    return true;
}

/* The system's own breakpoint, before a program's first instruction, is for the debugger alone;
 * later ones are the program's. */
static DWORD answer(struct program *program, const DEBUG_EVENT *event)
{
    if (event->dwDebugEventCode == CREATE_PROCESS_DEBUG_EVENT)
        CloseHandle(event->u.CreateProcessInfo.hFile);
    if (event->dwDebugEventCode == LOAD_DLL_DEBUG_EVENT && event->u.LoadDll.hFile != NULL)
        CloseHandle(event->u.LoadDll.hFile);
    if (event->dwDebugEventCode != EXCEPTION_DEBUG_EVENT)
        return DBG_CONTINUE;
    bool breaks = event->u.Exception.ExceptionRecord.ExceptionCode == (DWORD)EXCEPTION_BREAKPOINT;
    bool first = breaks && !program->begun;
    program->begun = program->begun || breaks;
    return first ? DBG_CONTINUE : DBG_EXCEPTION_NOT_HANDLED;
}

enum program_event program_wait(struct program *program, uint64_t ms)
{
    ULONGLONG start = GetTickCount64();
    DWORD process = (DWORD)program->process;
    if (program->handle != 0) { /* of the thread that stands still at the end */
        ContinueDebugEvent(process, (DWORD)program->handle, DBG_CONTINUE);
        return PROGRAM_ENDED;
    }
    for (;;) {
        DEBUG_EVENT event;
        ULONGLONG passed = GetTickCount64() - start;
        DWORD left = ms == 0 ? INFINITE : passed < ms ? (DWORD)(ms - passed) : 0;
        if (!WaitForDebugEvent(&event, left))
            return GetLastError() == ERROR_SEM_TIMEOUT ? PROGRAM_RUNNING : PROGRAM_ENDED;
        if (event.dwDebugEventCode == EXIT_PROCESS_DEBUG_EVENT) {
            program->handle = (intptr_t)event.dwThreadId;
            return process_under_wine() ? PROGRAM_ENDED : PROGRAM_ENDING;
        }
        ContinueDebugEvent(event.dwProcessId, event.dwThreadId, answer(program, &event));
    }
}

void program_pause(uint64_t ms)
{
    Sleep((DWORD)ms);
}
