/* What is left of each limit, against /proc/self/status and /proc/self/maps as this file reads
 * them: nothing is mapped between the two. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "system/limits.h"

static const uint64_t SPACE = (uint64_t)1 << 47; /* that a program may map, but for a page */
static char text[1 << 20];

static void read_file(const char *path)
{
    int file = open(path, O_RDONLY);
    size_t length = 0;
    ssize_t got;
    CHECK(file >= 0);
    while ((got = read(file, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    close(file);
}

static uint64_t status_bytes(const char *name)
{
    read_file("/proc/self/status");
    const char *field = strstr(text, name);
    CHECK(field != NULL);
    return field != NULL ? strtoull(field + strlen(name), NULL, 10) * 1024 : 0;
}

static uint64_t mappings(void)
{
    uint64_t lines = 0;
    read_file("/proc/self/maps");
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    return lines - (strstr(text, "[vsyscall]") != NULL);
}

static struct limits limits_now(void)
{
    struct limits limits;
    CHECK_EQUAL(limits_read(&limits), 0);
    return limits;
}

static void limit(int resource, uint64_t bytes)
{
    struct rlimit value;
    CHECK_EQUAL(getrlimit(resource, &value), 0);
    value.rlim_cur = bytes;
    CHECK_EQUAL(setrlimit(resource, &value), 0);
}

int main(void)
{
    const uint64_t most = (uint64_t)1 << 34;
    limits_now();
    read_file("/proc/sys/vm/max_map_count");
    uint64_t most_mappings = strtoull(text, NULL, 10);
    struct limits limits = limits_now();
    CHECK(limits.mappings.known);
    CHECK_EQUAL(limits.mappings.value, most_mappings - mappings());
    CHECK(limits.address_bytes.known);
    CHECK_EQUAL(limits.address_bytes.value, SPACE - status_bytes("VmSize:"));

    limit(RLIMIT_AS, most);
    limit(RLIMIT_DATA, most / 2);
    limits = limits_now();
    CHECK(limits.address_bytes.known && limits.commit_bytes.known);
    CHECK_EQUAL(limits.address_bytes.value, most - status_bytes("VmSize:"));
    CHECK_EQUAL(limits.commit_bytes.value, most / 2 - status_bytes("VmData:"));

    limit(RLIMIT_AS, 4096); /* less than there is already */
    CHECK_EQUAL(limits_now().address_bytes.value, 0);
    return check_result();
}
