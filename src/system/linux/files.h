/* Files that this process may have open at once. */
#ifndef FILES_H
#define FILES_H

/* As many as it may allow itself (RLIMIT_NOFILE). A program that it starts inherits that, so not
 * before. */
void files_raise_limit(void);

#endif
