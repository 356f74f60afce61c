// musl's declarations on x86-64, from its public headers, as far as this package uses them.
typedef unsigned mode_t, uid_t, gid_t, useconds_t;
typedef unsigned long nlink_t, dev_t, ino_t;
typedef int pid_t, clockid_t;
typedef long off_t, blkcnt_t, blksize_t, time_t, ssize_t;
typedef __SIZE_TYPE__ size_t;
struct timespec { time_t tv_sec; long tv_nsec; };
struct stat {
    dev_t st_dev;
    ino_t st_ino;
    nlink_t st_nlink;
    mode_t st_mode;
    uid_t st_uid;
    gid_t st_gid;
    unsigned int __pad0;
    dev_t st_rdev;
    off_t st_size;
    blksize_t st_blksize;
    blkcnt_t st_blocks;
    struct timespec st_atim, st_mtim, st_ctim;
    long __unused_[3];
};
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_MONOTONIC_COARSE 6
typedef unsigned pthread_key_t;
typedef struct { union { int __i[10]; volatile int __vi[10]; } __u; } pthread_mutex_t;
typedef struct { unsigned __attr; } pthread_mutexattr_t;
int madvise(void *, size_t, int);
#define MADV_WIPEONFORK 18
ssize_t fgetxattr(int, const char *, void *, size_t);
int fsetxattr(int, const char *, const void *, size_t, int);
int fremovexattr(int, const char *);
#define O_CREAT 0100
#define O_EXCL 0200
#define O_NOCTTY 0400
#define O_NONBLOCK 04000
#define O_DIRECTORY 0200000
#define O_NOFOLLOW 0400000
#define O_CLOEXEC 02000000
#define AT_SYMLINK_NOFOLLOW 0x100
#define F_DUPFD_CLOEXEC 1030
#define MAP_PRIVATE 0x02
#define MAP_ANON 0x20
#define MAP_ANONYMOUS MAP_ANON
#define PATH_MAX 4096
#define EAGAIN 11
#define EWOULDBLOCK EAGAIN
#define ENOSYS 38
#define ELOOP 40
#define ENODATA 61
#define EILSEQ 84
#define EOPNOTSUPP 95
#define ESTALE 116
#define TIOCGWINSZ 0x5413
#include "common.h"
