// macOS's declarations, from its public headers, as far as this package uses them.
typedef unsigned short mode_t;
typedef unsigned short nlink_t;
typedef int dev_t;
typedef unsigned long long ino_t;
typedef unsigned int uid_t, gid_t, useconds_t;
typedef int pid_t;
typedef long long off_t, blkcnt_t;
typedef int blksize_t;
typedef long time_t, ssize_t;
typedef __SIZE_TYPE__ size_t;
struct timespec { time_t tv_sec; long tv_nsec; };
struct stat {
    dev_t st_dev;
    mode_t st_mode;
    nlink_t st_nlink;
    ino_t st_ino;
    uid_t st_uid;
    gid_t st_gid;
    dev_t st_rdev;
    struct timespec st_atimespec, st_mtimespec, st_ctimespec, st_birthtimespec;
    off_t st_size;
    blkcnt_t st_blocks;
    blksize_t st_blksize;
    unsigned st_flags, st_gen;
    int st_lspare;
    long long st_qspare[2];
};
typedef enum { _CLOCK_REALTIME = 0, _CLOCK_MONOTONIC = 6, _CLOCK_MONOTONIC_RAW_APPROX = 5 } clockid_t;
// Macros there, which Swift imports as constants.
static const clockid_t CLOCK_REALTIME = _CLOCK_REALTIME;
static const clockid_t CLOCK_MONOTONIC = _CLOCK_MONOTONIC;
static const clockid_t CLOCK_MONOTONIC_RAW_APPROX = _CLOCK_MONOTONIC_RAW_APPROX;
typedef unsigned long pthread_key_t;
typedef struct { long __sig; char __opaque[56]; } pthread_mutex_t;
typedef struct { long __sig; char __opaque[8]; } pthread_mutexattr_t;
typedef unsigned int copyfile_flags_t;
typedef struct _copyfile_state *copyfile_state_t;
int fcopyfile(int from_fd, int to_fd, copyfile_state_t, copyfile_flags_t flags);
int minherit(void *, size_t, int);
#define COPYFILE_ACL (1 << 0)
#define O_NONBLOCK 0x00000004
#define O_NOFOLLOW 0x00000100
#define O_CREAT 0x00000200
#define O_EXCL 0x00000800
#define O_NOCTTY 0x00020000
#define O_DIRECTORY 0x00100000
#define O_CLOEXEC 0x01000000
#define O_EXEC 0x40000000
#define O_SEARCH (O_EXEC | O_DIRECTORY)
#define AT_SYMLINK_NOFOLLOW 0x0020
#define F_DUPFD_CLOEXEC 67
#define F_FULLFSYNC 51
#define MAP_PRIVATE 0x0002
#define MAP_ANON 0x1000
#define MAP_ANONYMOUS MAP_ANON
#define PATH_MAX 1024
#define EWOULDBLOCK EAGAIN
#define EAGAIN 35
#define ENOTSUP 45
#define ELOOP 62
#define ESTALE 70
#define ENOSYS 78
#define EILSEQ 92
#define EOPNOTSUPP 102
#define TIOCGWINSZ 0x40087468
#include "common.h"
