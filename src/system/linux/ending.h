/* Ending as another process did. */
#ifndef ENDING_H
#define ENDING_H

/* The exit status of a process that ended with `status`, as waitpid(2) gives it. Where it ended by
 * a signal, this process ends by the same one, without a second core file. */
int ending_as(int status);

#endif
