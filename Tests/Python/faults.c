/* Makes one system call fail: the FAULT_AT-th of those below that touches a file below FAULT_FOLDER, with errno
   FAULT_ERRNO. Counts them into the file FAULT_COUNT. For ring_safety.py, by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int calls;

static int concerns(const char *path) {
    const char *folder = getenv("FAULT_FOLDER");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int concerns_file(int file) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t count = readlink(link, path, sizeof path - 1);
    if (count < 0) return 0;
    path[count] = 0;
    return concerns(path);
}

static int fails(const char *name) {
    const char *at = getenv("FAULT_AT"), *code = getenv("FAULT_ERRNO"), *log = getenv("FAULT_LOG");
    calls++;
    if (log) {
        FILE *file = fopen(log, "a");
        if (file) { fprintf(file, "%d %s\n", calls, name); fclose(file); }
    }
    if (!at || calls != atoi(at)) return 0;
    errno = atoi(code);
    return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRAP(type, name, parameters, arguments, concerned) \
    type name parameters { \
        if ((concerned) && fails(#name)) return -1; \
        return NEXT(name) arguments; \
    }

int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    if (concerns(path) && fails("open")) return -1;
    return NEXT(open)(path, flags, mode);
}
WRAP(ssize_t, read, (int file, void *bytes, size_t count), (file, bytes, count), concerns_file(file))
WRAP(int, fsync, (int file), (file), concerns_file(file))
WRAP(int, fchmod, (int file, mode_t mode), (file, mode), concerns_file(file))
WRAP(int, fchown, (int file, uid_t owner, gid_t group), (file, owner, group), concerns_file(file))
WRAP(int, flock, (int file, int operation), (file, operation), concerns_file(file))
WRAP(int, fstat, (int file, struct stat *status), (file, status), concerns_file(file))
WRAP(int, stat, (const char *path, struct stat *status), (path, status), concerns(path))
WRAP(int, rename, (const char *from, const char *to), (from, to), concerns(from))
WRAP(int, unlink, (const char *path), (path), concerns(path))

/* A full disk takes part of what is written, and then nothing. */
ssize_t write(int file, const void *bytes, size_t count) {
    if (concerns_file(file) && fails("write")) {
        if (errno == ENOSPC && count > 20) NEXT(write)(file, bytes, 20);
        errno = atoi(getenv("FAULT_ERRNO"));
        return -1;
    }
    return NEXT(write)(file, bytes, count);
}

/* close does close, whatever it reports. */
int close(int file) {
    int fault = concerns_file(file) && fails("close"), code = errno;
    int result = NEXT(close)(file);
    if (fault) errno = code;
    return fault ? -1 : result;
}

char *realpath(const char *path, char *resolved) {
    if (concerns(path) && fails("realpath")) return NULL;
    return NEXT(realpath)(path, resolved);
}
