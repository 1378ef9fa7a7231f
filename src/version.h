/* Which vmcommit this is. cmake/version.cmake writes the source at each build. */
#ifndef VERSION_H
#define VERSION_H

extern const char version_number[]; /* 0.1.0 */
extern const char version_text[];   /* 0.1.0, revision 0123456789ab, GNU 12.2.0 -O2 */

#endif
