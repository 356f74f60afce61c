// zlib, and memory for its streams that is handed out once and taken back whole.
#ifndef SEALED_COOKIE_ZLIB_SHIM_H
#define SEALED_COOKIE_ZLIB_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

typedef struct {
    unsigned char *base;
    size_t used, capacity;
    bool is_full; // asked for more than it has
} sealed_cookie_arena;

static inline voidpf sealed_cookie_arena_allocate(voidpf opaque, uInt items, uInt size) {
    sealed_cookie_arena *arena = (sealed_cookie_arena *)opaque;
    // 64 bytes: a line of the cache. zlib asks for some kilobytes, so the product does not overflow.
    size_t count = ((size_t)items * size + 63) & ~(size_t)63;
    if (count > arena->capacity - arena->used) {
        arena->is_full = true;
        return Z_NULL;
    }
    voidpf block = arena->base + arena->used;
    arena->used += count;
    return block;
}

static inline void sealed_cookie_arena_release(voidpf opaque, voidpf block) {
    (void)opaque;
    (void)block;
}

#endif
