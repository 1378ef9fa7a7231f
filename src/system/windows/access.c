/* Pipes and files by ReadFile and WriteFile, datagrams by recv. */
#include "system/access.h"

#include <winsock2.h> /* and windows.h with it, in the order that both need */

static int finish(BOOL succeeded, DWORD bytes, size_t *done)
{
    int error = succeeded ? 0 : (int)GetLastError();
    *done = succeeded ? bytes : 0;
    return error;
}

static int make_read(struct access *access, void *address, size_t size, size_t *done)
{
    DWORD got = 0;
    BOOL succeeded = ReadFile((HANDLE)access->here, address, (DWORD)size, &got, NULL);
    return finish(succeeded, got, done);
}

static int make_write(struct access *access, void *address, size_t size, size_t *done)
{
    DWORD written = 0;
    BOOL succeeded = WriteFile((HANDLE)access->here, address, (DWORD)size, &written, NULL);
    return finish(succeeded, written, done);
}

static int fill(const struct access *access, const void *bytes, size_t size)
{
    DWORD written = 0;
    BOOL succeeded = WriteFile((HANDLE)access->there, bytes, (DWORD)size, &written, NULL);
    return !succeeded ? (int)GetLastError() : written == size ? 0 : ERROR_WRITE_FAULT;
}

static void close_ends(struct access *access)
{
    CloseHandle((HANDLE)access->here);
    CloseHandle((HANDLE)access->there);
}

/* --- Pipes --- */

static int open_pipe(struct access *access)
{
    HANDLE reading, writing;
    if (!CreatePipe(&reading, &writing, NULL, 0))
        return (int)GetLastError();
    *access = (struct access){.here = (intptr_t)reading, .there = (intptr_t)writing};
    return 0;
}

static int open_written_pipe(struct access *access)
{
    int error = open_pipe(access);
    access_turn_round(access);
    return error;
}

static int available(intptr_t end, size_t *bytes)
{
    DWORD there = 0;
    int error = PeekNamedPipe((HANDLE)end, NULL, 0, NULL, &there, NULL) ? 0 : (int)GetLastError();
    *bytes = there;
    return error;
}

static int available_here(const struct access *access, size_t *bytes)
{
    return available(access->here, bytes);
}

static int available_there(const struct access *access, size_t *bytes)
{
    return available(access->there, bytes);
}

/* --- Files: `there` is the same file, with a position of its own --- */

static HANDLE open_path(const char *path, DWORD disposition)
{
    return CreateFileA(path, GENERIC_READ | GENERIC_WRITE | DELETE,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, disposition,
                       FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
}

static int open_file(struct access *access)
{
    char folder[MAX_PATH], path[MAX_PATH];
    if (GetTempPathA(sizeof folder, folder) == 0 || GetTempFileNameA(folder, "vmc", 0, path) == 0)
        return (int)GetLastError();
    HANDLE here = open_path(path, CREATE_ALWAYS);
    if (here == INVALID_HANDLE_VALUE)
        return (int)GetLastError();
    HANDLE there = open_path(path, OPEN_EXISTING);
    int error = there == INVALID_HANDLE_VALUE ? (int)GetLastError() : 0;
    *access = (struct access){.here = (intptr_t)here, .there = (intptr_t)there};
    if (error != 0)
        CloseHandle(here);
    return error;
}

static int rest_of_file(intptr_t end, size_t *bytes)
{
    LARGE_INTEGER size, at, none = {.QuadPart = 0};
    if (!GetFileSizeEx((HANDLE)end, &size) ||
        !SetFilePointerEx((HANDLE)end, none, &at, FILE_CURRENT))
        return (int)GetLastError();
    *bytes = (size_t)(size.QuadPart - at.QuadPart);
    return 0;
}

static int rest_here(const struct access *access, size_t *bytes)
{
    return rest_of_file(access->here, bytes);
}

static int rest_there(const struct access *access, size_t *bytes)
{
    return rest_of_file(access->there, bytes);
}

/* --- Datagrams: two UDP sockets of this machine alone --- */

static int open_socket(SOCKET *opened, struct sockaddr_in *name)
{
    u_long on = 1;
    int length = sizeof *name;
    *name = (struct sockaddr_in){.sin_family = AF_INET};
    name->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *opened = socket(AF_INET, SOCK_DGRAM, 0);
    if (*opened == INVALID_SOCKET)
        return WSAGetLastError();
    if (bind(*opened, (struct sockaddr *)name, length) == 0 &&
        getsockname(*opened, (struct sockaddr *)name, &length) == 0 &&
        ioctlsocket(*opened, (long)FIONBIO, &on) == 0)
        return 0;
    int error = WSAGetLastError();
    closesocket(*opened);
    return error;
}

static void close_sockets(struct access *access)
{
    closesocket((SOCKET)access->here);
    closesocket((SOCKET)access->there);
    WSACleanup();
}

static int open_datagrams(struct access *access)
{
    WSADATA data;
    SOCKET here, there;
    struct sockaddr_in here_name, there_name;
    int error = WSAStartup(MAKEWORD(2, 2), &data);
    if (error != 0)
        return error;
    error = open_socket(&here, &here_name);
    if (error == 0) {
        error = open_socket(&there, &there_name);
        if (error != 0)
            closesocket(here);
    }
    if (error != 0) {
        WSACleanup();
        return error;
    }
    *access = (struct access){.here = (intptr_t)here, .there = (intptr_t)there};
    if (connect(there, (struct sockaddr *)&here_name, sizeof here_name) == 0)
        return 0;
    error = WSAGetLastError();
    close_sockets(access);
    return error;
}

static int wait_for_datagram(SOCKET here)
{
    enum { SECONDS = 10 };
    fd_set readable;
    struct timeval most = {SECONDS, 0};
    FD_ZERO(&readable);
    FD_SET(here, &readable);
    int ready = select(0, &readable, NULL, NULL, &most);
    return ready == SOCKET_ERROR ? WSAGetLastError() : ready == 1 ? 0 : WSAETIMEDOUT;
}

static int send_datagram(const struct access *access, const void *bytes, size_t size)
{
    if (send((SOCKET)access->there, bytes, (int)size, 0) == SOCKET_ERROR)
        return WSAGetLastError();
    return wait_for_datagram((SOCKET)access->here);
}

static int make_recv(struct access *access, void *address, size_t size, size_t *done)
{
    int got = recv((SOCKET)access->here, address, (int)size, 0);
    *done = got == SOCKET_ERROR ? 0 : (size_t)got;
    return got == SOCKET_ERROR ? WSAGetLastError() : 0;
}

static int drain_datagrams(const struct access *access, size_t *bytes)
{
    char buffer[ACCESS_MOST_BYTES];
    for (*bytes = 0;;) {
        int got = recv((SOCKET)access->here, buffer, sizeof buffer, 0);
        if (got == SOCKET_ERROR)
            return WSAGetLastError() == WSAEWOULDBLOCK ? 0 : WSAGetLastError();
        *bytes += (size_t)got;
    }
}

const struct access_call access_calls[] = {
    {"read_pipe", true, open_pipe, close_ends, fill, make_read, available_here},
    {"read_file", true, open_file, close_ends, fill, make_read, rest_here},
    {"recv_datagram", true, open_datagrams, close_sockets, send_datagram, make_recv,
     drain_datagrams},
    {"write_pipe", false, open_written_pipe, close_ends, NULL, make_write, available_there},
    {"write_file", false, open_file, close_ends, NULL, make_write, rest_there},
    {NULL, false, NULL, NULL, NULL, NULL, NULL},
};
