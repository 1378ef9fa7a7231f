/* A program that is started to be looked at, and is held still at the end of its life, when all
 * that it has mapped is still there. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct program {
    uint64_t process;
    intptr_t handle; /* the system's own */
    bool begun;      /* Windows: it has passed the breakpoint before its first instruction */
};

/* ENDING: it runs no more, and its address space is whole until program_wait is called again.
 * ENDED: it has gone. RUNNING: the time is up. */
enum program_event { PROGRAM_RUNNING, PROGRAM_ENDING, PROGRAM_ENDED };

/* Starts the program of `words`, ended by NULL, which is looked for as a shell does. It stands
 * still before its first instruction until program_wait lets it run. From then on an interrupt from
 * the terminal is the program's alone. False with why not in `why`, one line without line end. */
bool program_start(char **words, struct program *program, char *why, size_t size);

/* Lets it run for so many milliseconds, or to its end where that is 0. Some programs come to ENDED
 * without ENDING; `program_gone` says which. */
extern const char program_gone[];
enum program_event program_wait(struct program *program, uint64_t ms);

/* Does nothing for so long. */
void program_pause(uint64_t ms);

#endif
