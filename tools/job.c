/* Windows: runs a command in a job whose processes may commit only so much, and ends as it does.
 *
 * usage: job BYTES COMMAND... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static int complain(const char *what)
{
    fprintf(stderr, "job: %s: error %lu\n", what, GetLastError());
    return 99;
}

int main(int argc, char **argv)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    static char command[8192];
    DWORD status = 0;
    if (argc < 3) {
        fprintf(stderr, "usage: job BYTES COMMAND...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        snprintf(command + strlen(command), sizeof command - strlen(command), "\"%s\" ", argv[i]);

    HANDLE job = CreateJobObjectA(NULL, NULL);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_PROCESS_MEMORY;
    limits.ProcessMemoryLimit = strtoull(argv[1], NULL, 10);
    if (job == NULL ||
        !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits))
        return complain("limiting a job");
    if (!CreateProcessA(NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup,
                        &child))
        return complain("starting the command");
    if (!AssignProcessToJobObject(job, child.hProcess))
        return complain("putting the command into the job");
    ResumeThread(child.hThread);
    WaitForSingleObject(child.hProcess, INFINITE);
    return GetExitCodeProcess(child.hProcess, &status) ? (int)status : complain("its status");
}
