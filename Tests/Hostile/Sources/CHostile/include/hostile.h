// What hostile tests need from C: the peak of memory in use, and zlib by itself.
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stddef.h>
#include <stdint.h>

// The heap bytes that all threads have in use, and their peak since `hostile_reset_peak`.
int64_t hostile_live(void);
int64_t hostile_peak(void);
void hostile_reset_peak(void);

// This thread's own time in nanoseconds: other processes do not count.
int64_t hostile_thread_time(void);

// A raw DEFLATE stream of `in`, primed with `dictionary` if there is one; 0 if it takes more than `limit` bytes.
size_t hostile_deflate(const uint8_t *in, size_t count, const uint8_t *dictionary, size_t dictionary_count,
                       uint8_t *out, size_t limit);

#endif
