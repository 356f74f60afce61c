// Looks through all of the process's memory for bytes that must not be there.
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>
#include <stdint.h>

/// Kinds of memory.
enum memory_kind { MEMORY_HEAP = 1, MEMORY_STACK = 2, MEMORY_ANONYMOUS = 4, MEMORY_FILE = 8 };

/// Counts how many times each piece of eight bytes stands in any readable memory. They are given with each bit
/// turned over, so that they are not found where they are looked up.
///
/// - Parameter kinds: gets the bits of `memory_kind` for each.
/// - Returns: 0, or -1 where the process's map could not be read.
int memory_scan(const uint64_t *turned, size_t count, long *found, int *kinds);

/// A file's bytes in memory of their own, which `memory_drop` wipes. A zero stands behind them.
char *memory_read(const char *path, size_t *count);
void memory_wipe(void *bytes, size_t count);

#endif
