/* Preloaded, says that pages have 64 KiB, as on some arm64 and ppc64 systems. The system's own keep
 * theirs, of which each of these has a whole number. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

long sysconf(int name)
{
    long (*real)(int);
    void *symbol = dlsym(RTLD_NEXT, "sysconf");
    memcpy(&real, &symbol, sizeof real);
    return name == _SC_PAGESIZE ? 64 << 10 : real(name);
}
