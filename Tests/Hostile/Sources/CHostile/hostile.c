// Follows the heap: these functions override glibc's own for the whole process.
#include "hostile.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static _Atomic int64_t live, peak;

static void add(int64_t change) {
    int64_t now = atomic_fetch_add(&live, change) + change;
    int64_t most = atomic_load(&peak);
    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now)) {}
}

static void *taken(void *block) {
    if (block) add((int64_t)malloc_usable_size(block));
    return block;
}

void *malloc(size_t size) { return taken(__libc_malloc(size)); }
void *calloc(size_t items, size_t size) { return taken(__libc_calloc(items, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return taken(__libc_memalign(alignment, size)); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    *result = taken(__libc_memalign(alignment, size));
    return *result ? 0 : ENOMEM;
}

void *realloc(void *old, size_t size) {
    int64_t before = old ? (int64_t)malloc_usable_size(old) : 0;
    // While a block moves, both copies exist.
    add((int64_t)size);
    void *block = __libc_realloc(old, size);
    add(-(int64_t)size);
    if (block || size == 0) add((block ? (int64_t)malloc_usable_size(block) : 0) - before);
    return block;
}

void free(void *block) {
    if (block) add(-(int64_t)malloc_usable_size(block));
    __libc_free(block);
}

int64_t hostile_live(void) { return atomic_load(&live); }
int64_t hostile_peak(void) { return atomic_load(&peak); }
void hostile_reset_peak(void) { atomic_store(&peak, atomic_load(&live)); }

int64_t hostile_thread_time(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

size_t hostile_deflate(const uint8_t *in, size_t count, const uint8_t *dictionary, size_t dictionary_count,
                       uint8_t *out, size_t limit) {
    z_stream stream = {0};
    if (deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    if (dictionary_count) deflateSetDictionary(&stream, dictionary, (uInt)dictionary_count);
    stream.next_in = (uint8_t *)in;
    stream.avail_in = (uInt)count;
    stream.next_out = out;
    stream.avail_out = (uInt)limit;
    int status = deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return status == Z_STREAM_END ? limit - stream.avail_out : 0;
}
