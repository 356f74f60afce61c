// Declarations that both share.
#define EPERM 1
#define ENOENT 2
#define EINTR 4
#define EIO 5
#define ENXIO 6
#define EBADF 9
#define ENOMEM 12
#define EACCES 13
#define EEXIST 17
#define EINVAL 22
#define ENODEV 19
#define EISDIR 21
#define EFBIG 27
#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8
#define PROT_READ 1
#define PROT_WRITE 2
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
struct winsize { unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel; };
int clock_gettime(clockid_t, struct timespec *);
time_t time(time_t *);
int usleep(useconds_t);
int getentropy(void *, size_t);
int close(int);
ssize_t read(int, void *, size_t);
ssize_t write(int, const void *, size_t);
int fsync(int);
int flock(int, int);
int fstat(int, struct stat *);
int stat(const char *, struct stat *);
int fstatat(int, const char *, struct stat *, int);
int fchown(int, uid_t, gid_t);
int fchmod(int, mode_t);
int unlinkat(int, const char *, int);
int linkat(int, const char *, int, const char *, int);
int renameat(int, const char *, int, const char *);
ssize_t readlink(const char *, char *, size_t);
ssize_t readlinkat(int, const char *, char *, size_t);
uid_t geteuid(void);
int isatty(int);
void *mmap(void *, size_t, int, int, int, off_t);
int munmap(void *, size_t);
int pthread_key_create(pthread_key_t *, void (*)(void *));
void *pthread_getspecific(pthread_key_t);
int pthread_setspecific(pthread_key_t, const void *);
int pthread_mutex_init(pthread_mutex_t *, const pthread_mutexattr_t *);
int pthread_mutex_lock(pthread_mutex_t *);
int pthread_mutex_unlock(pthread_mutex_t *);
int pthread_atfork(void (*)(void), void (*)(void), void (*)(void));
char *getenv(const char *);
int strerror_r(int, char *, size_t);
size_t strlen(const char *);
int memcmp(const void *, const void *, size_t);
