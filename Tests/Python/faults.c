/* Makes one system call fail: the FAULT_AT-th of those below that touches a file below FAULT_FOLDER, with errno
   FAULT_ERRNO; with FAULT_KILL that call ends the process. Counts them into the file FAULT_LOG. With FAULT_NFS, files below FAULT_FOLDER behave as on NFS: only those open
   for writing take an exclusive lock, and a name means for a while what it meant when it was last opened. With FAULT_STREAMS
   no file below FAULT_FOLDER can be locked or written under a standard stream's number. For ring_safety.py, by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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
    if (getenv("FAULT_KILL")) kill(getpid(), SIGKILL);
    errno = atoi(code);
    return 1;
}

/* What somebody prints would go into the file. */
static int is_stream(int file) {
    return getenv("FAULT_STREAMS") && file <= STDERR_FILENO && concerns_file(file);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRAP(type, name, parameters, arguments, concerned) \
    type name parameters { \
        if ((concerned) && fails(#name)) return -1; \
        return NEXT(name) arguments; \
    }

static struct stat cached;
static char cached_path[PATH_MAX];

int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    if (concerns(path) && fails("open")) return -1;
    int file = NEXT(open)(path, flags, mode);
    if (file >= 0 && getenv("FAULT_NFS") && concerns(path) && NEXT(fstat)(file, &cached) == 0)
        snprintf(cached_path, sizeof cached_path, "%s", path);
    return file;
}
WRAP(ssize_t, read, (int file, void *bytes, size_t count), (file, bytes, count), concerns_file(file))
WRAP(int, fsync, (int file), (file), concerns_file(file))
WRAP(int, fchmod, (int file, mode_t mode), (file, mode), concerns_file(file))
WRAP(int, fchown, (int file, uid_t owner, gid_t group), (file, owner, group), concerns_file(file))
WRAP(int, fstat, (int file, struct stat *status), (file, status), concerns_file(file))
WRAP(int, rename, (const char *from, const char *to), (from, to), concerns(from))
WRAP(int, link, (const char *from, const char *to), (from, to), concerns(from))
WRAP(int, unlink, (const char *path), (path), concerns(path))

int flock(int file, int operation) {
    if (concerns_file(file) && fails("flock")) return -1;
    if (is_stream(file)) {
        errno = EDOM;
        return -1;
    }
    if (getenv("FAULT_NFS") && concerns_file(file) && operation & LOCK_EX && (fcntl(file, F_GETFL) & O_ACCMODE) == O_RDONLY) {
        errno = EBADF;
        return -1;
    }
    return NEXT(flock)(file, operation);
}

int stat(const char *path, struct stat *status) {
    if (concerns(path) && fails("stat")) return -1;
    if (!getenv("FAULT_NFS") || strcmp(path, cached_path) != 0) return NEXT(stat)(path, status);
    *status = cached;
    return 0;
}

/* A full disk takes part of what is written, and then nothing. */
ssize_t write(int file, const void *bytes, size_t count) {
    if (is_stream(file)) {
        errno = EDOM;
        return -1;
    }
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
