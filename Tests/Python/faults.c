/* Makes system calls fail that touch a file below FAULT_FOLDER. For ring_safety.py, by LD_PRELOAD.
   FAULT_AT, FAULT_ERRNO   the so many-th call of those below fails with that errno; with FAULT_KILL it ends the process
   FAULT_LOG               a file that gets a line for each: its number, name and path, and OPEN-ON-EXEC for a descriptor that
                           a program started meanwhile would inherit
   FAULT_NFS               files behave as on NFS: only those open for writing take an exclusive lock, and a name means for a
                           while what it meant when it was last opened
   FAULT_STREAMS           no file can be locked or written under a standard stream's number
   FAULT_SHORT             a read or write takes so many bytes at most; 0: a write takes none, and says so
   FAULT_INTERRUPTED       every other read, write and flock is interrupted
   FAULT_NO_LINKS          the file system has no hard links
   FAULT_NO_FOLDER_SYNC    the file system synchronizes no folder, as CIFS and VirtualBox's
   FAULT_STALE             a lock that is there cannot be opened: ESTALE
   FAULT_FAST              usleep does not sleep */
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

/* Where an open file is. */
static const char *path_of(int file) {
    static __thread char path[PATH_MAX];
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t count = readlink(link, path, sizeof path - 1);
    path[count < 0 ? 0 : count] = 0;
    return path;
}

/* What a name in an open folder is. */
static const char *path_at(int folder, const char *name) {
    static __thread char path[2 * PATH_MAX];
    if (folder == AT_FDCWD || name[0] == '/') snprintf(path, sizeof path, "%s", name);
    else snprintf(path, sizeof path, "%s/%s", path_of(folder), name);
    return path;
}

static int concerns_file(int file) { return concerns(path_of(file)); }

static int fails(const char *name, const char *path, int inherited) {
    const char *at = getenv("FAULT_AT"), *code = getenv("FAULT_ERRNO"), *log = getenv("FAULT_LOG");
    calls++;
    if (log) {
        FILE *file = fopen(log, "ae");
        if (file) { fprintf(file, "%d %s %s%s\n", calls, name, path, inherited ? " OPEN-ON-EXEC" : ""); fclose(file); }
    }
    if (!at || calls != atoi(at)) return 0;
    if (getenv("FAULT_KILL")) kill(getpid(), SIGKILL);
    errno = atoi(code);
    return 1;
}

static int fails_file(const char *name, int file) {
    return fails(name, path_of(file), file > STDERR_FILENO && !(fcntl(file, F_GETFD) & FD_CLOEXEC));
}

static int is_interrupted(void) {
    static int count;
    if (!getenv("FAULT_INTERRUPTED") || ++count % 2 == 0) return 0;
    errno = EINTR;
    return 1;
}

static size_t shortened(size_t count) {
    const char *most = getenv("FAULT_SHORT");
    return most && count > (size_t)atoi(most) ? (size_t)atoi(most) : count;
}

/* What somebody prints would go into the file. */
static int is_stream(int file) {
    return getenv("FAULT_STREAMS") && file <= STDERR_FILENO && concerns_file(file);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRAP(type, name, parameters, arguments, path) \
    type name parameters { \
        if (concerns(path) && fails(#name, path, 0)) return -1; \
        return NEXT(name) arguments; \
    }
#define WRAP_FILE(type, name, parameters, arguments) \
    type name parameters { \
        if (concerns_file(file) && fails_file(#name, file)) return -1; \
        return NEXT(name) arguments; \
    }

static struct stat cached;
static char cached_path[2 * PATH_MAX];

static int opened(int file, const char *path) {
    int code = errno;
    if (file >= 0 && getenv("FAULT_NFS") && concerns(path) && NEXT(fstat)(file, &cached) == 0)
        snprintf(cached_path, sizeof cached_path, "%s", path);
    errno = code;
    return file;
}

int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    if (concerns(path) && fails("open", path, !(flags & O_CLOEXEC))) return -1;
    return opened(NEXT(open)(path, flags, mode), path);
}

int openat(int folder, const char *name, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s", path_at(folder, name));
    if (concerns(path) && fails("openat", path, !(flags & O_CLOEXEC))) return -1;
    size_t length = strlen(path);
    if (getenv("FAULT_STALE") && concerns(path) && length > 5 && strcmp(path + length - 5, ".lock") == 0) {
        errno = flags & O_CREAT ? EEXIST : ESTALE;
        return -1;
    }
    return opened(NEXT(openat)(folder, name, flags, mode), path);
}

int fsync(int file) {
    if (concerns_file(file) && fails_file("fsync", file)) return -1;
    struct stat status;
    if (concerns_file(file) && getenv("FAULT_NO_FOLDER_SYNC") && NEXT(fstat)(file, &status) == 0 && S_ISDIR(status.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    return NEXT(fsync)(file);
}

WRAP_FILE(int, fchmod, (int file, mode_t mode), (file, mode))
WRAP_FILE(int, fchown, (int file, uid_t owner, gid_t group), (file, owner, group))
WRAP_FILE(int, fstat, (int file, struct stat *status), (file, status))
WRAP(int, unlink, (const char *path), (path), path)
WRAP(int, unlinkat, (int folder, const char *name, int flags), (folder, name, flags), path_at(folder, name))
WRAP(int, renameat, (int folder, const char *from, int target, const char *to), (folder, from, target, to), path_at(folder, from))

int linkat(int folder, const char *from, int target, const char *to, int flags) {
    const char *path = path_at(folder, from);
    if (concerns(path) && fails("linkat", path, 0)) return -1;
    if (concerns(path) && getenv("FAULT_NO_LINKS")) {
        errno = EPERM;
        return -1;
    }
    return NEXT(linkat)(folder, from, target, to, flags);
}

ssize_t read(int file, void *bytes, size_t count) {
    if (concerns_file(file)) {
        if (fails_file("read", file) || is_interrupted()) return -1;
        if (!getenv("FAULT_SHORT") || atoi(getenv("FAULT_SHORT")) > 0) count = shortened(count);
    }
    return NEXT(read)(file, bytes, count);
}

int usleep(useconds_t span) { return getenv("FAULT_FAST") ? 0 : NEXT(usleep)(span); }

int flock(int file, int operation) {
    if (concerns_file(file) && (fails_file("flock", file) || is_interrupted())) return -1;
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
    if (concerns(path) && fails("stat", path, 0)) return -1;
    if (!getenv("FAULT_NFS") || strcmp(path, cached_path) != 0) return NEXT(stat)(path, status);
    *status = cached;
    return 0;
}

int fstatat(int folder, const char *name, struct stat *status, int flags) {
    const char *path = path_at(folder, name);
    if (concerns(path) && fails("fstatat", path, 0)) return -1;
    if (!getenv("FAULT_NFS") || strcmp(path, cached_path) != 0) return NEXT(fstatat)(folder, name, status, flags);
    *status = cached;
    return 0;
}

/* A full disk takes part of what is written, and then nothing. */
ssize_t write(int file, const void *bytes, size_t count) {
    if (is_stream(file)) {
        errno = EDOM;
        return -1;
    }
    if (concerns_file(file)) {
        if (fails_file("write", file)) {
            if (errno == ENOSPC && count > 20) NEXT(write)(file, bytes, 20);
            errno = atoi(getenv("FAULT_ERRNO"));
            return -1;
        }
        if (is_interrupted()) return -1;
        if ((count = shortened(count)) == 0) return 0;
    }
    return NEXT(write)(file, bytes, count);
}

/* close does close, whatever it reports. */
int close(int file) {
    int fault = concerns_file(file) && fails_file("close", file), code = errno;
    int result = NEXT(close)(file);
    if (fault) errno = code;
    return fault ? -1 : result;
}
