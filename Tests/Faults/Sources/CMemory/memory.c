#define _GNU_SOURCE
#include "memory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int kind_of(const char *name) {
    if (!strcmp(name, "[heap]")) return MEMORY_HEAP;
    if (!strcmp(name, "[stack]")) return MEMORY_STACK;
    return *name ? MEMORY_FILE : MEMORY_ANONYMOUS;
}

static uint64_t hexadecimal(const char **at) {
    uint64_t number = 0;
    for (;; ++*at) {
        char c = **at;
        if (c >= '0' && c <= '9') number = number << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f') number = number << 4 | (uint64_t)(c - 'a' + 10);
        else return number;
    }
}

int memory_scan(const uint64_t *turned, size_t count, long *found, int *kinds) {
    static char maps[1 << 18];
    // Which low halves of a word some piece has: most of memory is passed over by it.
    static unsigned char is_likely[1 << 16];
    int file = open("/proc/self/maps", O_RDONLY);
    size_t used = 0;
    ssize_t got;
    while ((got = read(file, maps + used, sizeof maps - 1 - used)) > 0) used += (size_t)got;
    close(file);
    maps[used] = 0;
    if (got < 0 || used == 0 || used == sizeof maps - 1) return -1;
    memset(is_likely, 0, sizeof is_likely);
    for (size_t i = 0; i < count; i++) {
        found[i] = kinds[i] = 0;
        is_likely[turned[i] & 0xFFFF] = 1;
    }
    for (char *line = maps, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        // `from-to mode offset device inode name`; no sscanf, which would overwrite the stack below us.
        const char *at = line;
        uint64_t from = hexadecimal(&at);
        at++;
        uint64_t to = hexadecimal(&at);
        char mode = at[1];
        for (int field = 0; field < 4 && at; field++) at = strchr(at + 1, ' ');
        while (at && *at == ' ') at++;
        const char *name = at ? at : "";
        // The [vvar] pages are the kernel's, and not all of them can be read.
        if (mode != 'r' || !strncmp(name, "[v", 2)) continue;
        // Read where they stand, and turned over at once: a copy would be found too.
        for (const unsigned char *bytes = (const unsigned char *)from; bytes <= (const unsigned char *)to - 8; bytes++) {
            uint64_t word;
            memcpy(&word, bytes, sizeof word);
            word = ~word;
            if (!is_likely[word & 0xFFFF]) continue;
            for (size_t i = 0; i < count; i++) {
                if (turned[i] != word) continue;
                found[i]++;
                kinds[i] |= kind_of(name);
            }
        }
    }
    return 0;
}

char *memory_read(const char *path, size_t *count) {
    char *bytes = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int file = open(path, O_RDONLY);
    ssize_t got = bytes == MAP_FAILED || file < 0 ? -1 : read(file, bytes, (1 << 16) - 1);
    close(file);
    *count = got < 0 ? 0 : (size_t)got;
    return got < 0 ? NULL : bytes;
}

void memory_wipe(void *bytes, size_t count) { explicit_bzero(bytes, count); }
