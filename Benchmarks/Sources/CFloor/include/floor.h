// The minimum work of sealing and opening, in C: the calls into zlib and OpenSSL on bytes that are already encoded,
// with every context created beforehand. Whatever ours costs beyond this is our responsibility.
#ifndef FLOOR_H
#define FLOOR_H

#include <stddef.h>
#include <stdint.h>

typedef struct floor_state floor_state;

// Contexts for one 32-byte key; NULL if a library refuses.
floor_state *floor_new(const uint8_t key[32]);
void floor_free(floor_state *state);

// A preset dictionary for deflate and inflate, which must outlive its use; length 0: none. 1: done.
int floor_set_dictionary(floor_state *state, const uint8_t *dictionary, size_t length);

// Each returns the number of bytes written, or 0 on failure or if they would be more than `limit`.
size_t floor_deflate(floor_state *state, const uint8_t *in, size_t count, uint8_t *out, size_t limit);
size_t floor_inflate(floor_state *state, const uint8_t *in, size_t count, uint8_t *out, size_t limit);

// Derives the message key from 24 nonce bytes and encrypts in place; 16 bytes of tag follow. 1: done.
int floor_encrypt(floor_state *state, const uint8_t nonce[24], const uint8_t *aad, size_t aad_count,
                  uint8_t *text, size_t count);
int floor_decrypt(floor_state *state, const uint8_t nonce[24], const uint8_t *aad, size_t aad_count,
                  uint8_t *text, size_t count);

// 20 bytes from a buffer that RAND_bytes fills 4 KiB at a time.
int floor_random(floor_state *state, uint8_t out[20]);

size_t floor_base64_encode(const uint8_t *in, size_t count, char *out);
// 0 if a character is not in the alphabet.
size_t floor_base64_decode(const char *in, size_t count, uint8_t *out);

// The heap allocations of this thread since it began: their number and their bytes. Every malloc, calloc, realloc and
// aligned allocation of the process counts.
void floor_allocations(uint64_t *count, uint64_t *bytes);

// Writes one byte 64 times, which touched.py finds in a trace of memory: here one operation ends and another begins.
void floor_mark(void);

// All steps. `skeleton` is the item without the contents of its byte strings, and `contents` those contents.
// `compress` 0: the item is copied unchanged (skeleton = item, no contents).
size_t floor_seal(floor_state *state, const uint8_t *skeleton, size_t skeleton_count,
                  const uint8_t *contents, size_t contents_count, int compress,
                  const uint8_t *aad, size_t aad_count, char *token);
// `item` gets the skeleton, followed by the contents.
size_t floor_open(floor_state *state, const char *token, size_t count, int compressed,
                  const uint8_t *aad, size_t aad_count, uint8_t *item, size_t limit);

#endif
