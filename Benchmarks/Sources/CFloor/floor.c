#include "floor.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

// Separate functions, so that a profile shows each stage.
#define STAGE __attribute__((noinline))

struct floor_state {
    EVP_CIPHER_CTX *block, *encrypt, *decrypt;
    z_stream inflate;
    // For short sessions and for long ones.
    struct deflating {
        int window, memory;
        z_stream deflate;
        // With a dictionary: a stream primed once, and the copy of it that works, both in one block of memory.
        z_stream primed, copy;
        uint8_t *arena;
        size_t arena_used, arena_primed;
    } deflating[2];
    const uint8_t *dictionary;
    size_t dictionary_count;
    uint8_t subkey[16];
    uint8_t random[4096];
    size_t random_used;
    uint8_t buffer[1 << 17];
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static uint16_t pairs[4096];
static uint32_t sextets[4][256];

static void make_tables(void) {
    for (int i = 0; i < 4096; i++) {
        uint8_t pair[2] = {(uint8_t)alphabet[i >> 6], (uint8_t)alphabet[i & 63]};
        memcpy(&pairs[i], pair, 2);
    }
    for (int k = 0; k < 4; k++)
        for (int c = 0; c < 256; c++) sextets[k][c] = 1u << 31;
    for (int i = 0; i < 64; i++)
        for (int k = 0; k < 4; k++) sextets[k][(uint8_t)alphabet[i]] = (uint32_t)i << (18 - 6 * k);
}

floor_state *floor_new(const uint8_t key[32]) {
    floor_state *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    make_tables();
    s->block = EVP_CIPHER_CTX_new();
    s->encrypt = EVP_CIPHER_CTX_new();
    s->decrypt = EVP_CIPHER_CTX_new();
    s->random_used = sizeof s->random;
    int written;
    uint8_t zero[16] = {0}, l[16];
    if (!s->block || !s->encrypt || !s->decrypt
        || EVP_EncryptInit_ex(s->block, EVP_aes_256_ecb(), NULL, key, NULL) != 1
        || EVP_CIPHER_CTX_set_padding(s->block, 0) != 1
        || EVP_EncryptInit_ex(s->encrypt, EVP_aes_256_gcm(), NULL, NULL, NULL) != 1
        || EVP_DecryptInit_ex(s->decrypt, EVP_aes_256_gcm(), NULL, NULL, NULL) != 1
        || EVP_EncryptUpdate(s->block, l, &written, zero, 16) != 1
        || inflateInit2(&s->inflate, -15) != Z_OK) {
        floor_free(s);
        return NULL;
    }
    for (int i = 0; i < 2; i++) {
        struct deflating *d = &s->deflating[i];
        d->window = i ? -13 : -12;
        d->memory = i ? 6 : 5;
        if (deflateInit2(&d->deflate, 9, Z_DEFLATED, d->window, d->memory, Z_DEFAULT_STRATEGY) != Z_OK) {
            floor_free(s);
            return NULL;
        }
    }
    for (int i = 0; i < 16; i++) s->subkey[i] = (uint8_t)(l[i] << 1 | (i < 15 ? l[i + 1] >> 7 : 0));
    if (l[0] & 0x80) s->subkey[15] ^= 0x87;
    return s;
}

void floor_free(floor_state *s) {
    if (!s) return;
    EVP_CIPHER_CTX_free(s->block);
    EVP_CIPHER_CTX_free(s->encrypt);
    EVP_CIPHER_CTX_free(s->decrypt);
    for (int i = 0; i < 2; i++) {
        deflateEnd(&s->deflating[i].deflate);
        free(s->deflating[i].arena);
    }
    inflateEnd(&s->inflate);
    free(s);
}

enum { arena_capacity = 256 * 1024 };

static voidpf arena_allocate(voidpf opaque, uInt items, uInt size) {
    struct deflating *s = opaque;
    size_t count = ((size_t)items * size + 63) & ~(size_t)63;
    if (count > arena_capacity - s->arena_used) return Z_NULL;
    s->arena_used += count;
    return s->arena + s->arena_used - count;
}

static void arena_release(voidpf opaque, voidpf block) {
    (void)opaque;
    (void)block;
}

int floor_set_dictionary(floor_state *s, const uint8_t *dictionary, size_t length) {
    s->dictionary = dictionary;
    s->dictionary_count = length;
    if (!length) return 1;
    for (int i = 0; i < 2; i++) {
        struct deflating *d = &s->deflating[i];
        if (!d->arena && !(d->arena = calloc(1, arena_capacity))) return 0;
        d->arena_used = 0;
        d->primed = (z_stream){.zalloc = arena_allocate, .zfree = arena_release, .opaque = d};
        if (deflateInit2(&d->primed, 9, Z_DEFLATED, d->window, d->memory, Z_DEFAULT_STRATEGY) != Z_OK
            || deflateSetDictionary(&d->primed, dictionary, (uInt)length) != Z_OK)
            return 0;
        d->arena_primed = d->arena_used;
    }
    return 1;
}

STAGE size_t floor_deflate(floor_state *s, const uint8_t *in, size_t count, uint8_t *out, size_t limit) {
    struct deflating *d = &s->deflating[count > 2000 || count + s->dictionary_count > 3800];
    z_stream *z = &d->deflate;
    if (s->dictionary_count) {
        d->arena_used = d->arena_primed;
        z = &d->copy;
        if (deflateCopy(z, &d->primed) != Z_OK) return 0;
    } else if (deflateReset(z) != Z_OK) {
        return 0;
    }
    z->next_in = (Bytef *)in;
    z->avail_in = (uInt)count;
    z->next_out = out;
    z->avail_out = (uInt)limit;
    if (deflate(z, Z_FINISH) != Z_STREAM_END) return 0;
    return limit - z->avail_out;
}

STAGE size_t floor_inflate(floor_state *s, const uint8_t *in, size_t count, uint8_t *out, size_t limit) {
    if (inflateReset(&s->inflate) != Z_OK) return 0;
    if (s->dictionary_count
        && inflateSetDictionary(&s->inflate, s->dictionary, (uInt)s->dictionary_count) != Z_OK)
        return 0;
    s->inflate.next_in = (Bytef *)in;
    s->inflate.avail_in = (uInt)count;
    s->inflate.next_out = out;
    s->inflate.avail_out = (uInt)limit;
    if (inflate(&s->inflate, Z_FINISH) != Z_STREAM_END) return 0;
    return limit - s->inflate.avail_out;
}

static int derive(floor_state *s, const uint8_t nonce[24], uint8_t key[32]) {
    uint8_t blocks[32] = {0, 1, 0x58, 0};
    memcpy(blocks + 4, nonce, 12);
    memcpy(blocks + 16, blocks, 16);
    blocks[17] = 2;
    for (int i = 0; i < 16; i++) {
        blocks[i] ^= s->subkey[i];
        blocks[16 + i] ^= s->subkey[i];
    }
    int written;
    return EVP_EncryptUpdate(s->block, key, &written, blocks, 32) == 1;
}

STAGE int floor_encrypt(floor_state *s, const uint8_t nonce[24], const uint8_t *aad, size_t aad_count,
                  uint8_t *text, size_t count) {
    uint8_t key[32];
    int written;
    return derive(s, nonce, key) && EVP_EncryptInit_ex(s->encrypt, NULL, NULL, key, nonce + 12) == 1
        && EVP_EncryptUpdate(s->encrypt, NULL, &written, aad, (int)aad_count) == 1
        && EVP_EncryptUpdate(s->encrypt, text, &written, text, (int)count) == 1
        && EVP_EncryptFinal_ex(s->encrypt, text + count, &written) == 1
        && EVP_CIPHER_CTX_ctrl(s->encrypt, EVP_CTRL_AEAD_GET_TAG, 16, text + count) == 1;
}

STAGE int floor_decrypt(floor_state *s, const uint8_t nonce[24], const uint8_t *aad, size_t aad_count,
                  uint8_t *text, size_t count) {
    uint8_t key[32];
    int written;
    return derive(s, nonce, key) && EVP_DecryptInit_ex(s->decrypt, NULL, NULL, key, nonce + 12) == 1
        && EVP_DecryptUpdate(s->decrypt, NULL, &written, aad, (int)aad_count) == 1
        && EVP_DecryptUpdate(s->decrypt, text, &written, text, (int)count) == 1
        && EVP_CIPHER_CTX_ctrl(s->decrypt, EVP_CTRL_AEAD_SET_TAG, 16, text + count) == 1
        && EVP_DecryptFinal_ex(s->decrypt, text + count, &written) == 1;
}

STAGE int floor_random(floor_state *s, uint8_t out[20]) {
    if (s->random_used + 20 > sizeof s->random) {
        if (RAND_bytes(s->random, sizeof s->random) != 1) return 0;
        s->random_used = 0;
    }
    memcpy(out, s->random + s->random_used, 20);
    memset(s->random + s->random_used, 0, 20);
    s->random_used += 20;
    return 1;
}

STAGE size_t floor_base64_encode(const uint8_t *in, size_t count, char *out) {
    char *o = out;
    size_t i = 0;
    for (; i + 3 <= count; i += 3, o += 4) {
        uint32_t group = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
        memcpy(o, &pairs[group >> 12], 2);
        memcpy(o + 2, &pairs[group & 4095], 2);
    }
    if (count - i == 1) {
        memcpy(o, &pairs[(uint32_t)in[i] << 4], 2);
        o += 2;
    } else if (count - i == 2) {
        uint32_t group = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8;
        memcpy(o, &pairs[group >> 12], 2);
        o[2] = alphabet[group >> 6 & 63];
        o += 3;
    }
    return (size_t)(o - out);
}

STAGE size_t floor_base64_decode(const char *in, size_t count, uint8_t *out) {
    const uint8_t *p = (const uint8_t *)in;
    uint8_t *o = out;
    uint32_t seen = 0;
    size_t i = 0;
    for (; i + 4 <= count; i += 4, o += 3) {
        uint32_t g = sextets[0][p[i]] | sextets[1][p[i + 1]] | sextets[2][p[i + 2]] | sextets[3][p[i + 3]];
        seen |= g;
        o[0] = (uint8_t)(g >> 16);
        o[1] = (uint8_t)(g >> 8);
        o[2] = (uint8_t)g;
    }
    if (count - i == 1) return 0;
    if (count - i >= 2) {
        uint32_t g = sextets[0][p[i]] | sextets[1][p[i + 1]] | (count - i == 3 ? sextets[2][p[i + 2]] : 0);
        seen |= g;
        *o++ = (uint8_t)(g >> 16);
        if (count - i == 3) *o++ = (uint8_t)(g >> 8);
    }
    return seen >> 31 ? 0 : (size_t)(o - out);
}

static void nonce_of(const uint8_t *random, uint8_t nonce[24]) {
    memcpy(nonce, random, 8);
    memset(nonce + 8, 0, 4);
    memcpy(nonce + 12, random + 8, 12);
}

size_t floor_seal(floor_state *s, const uint8_t *skeleton, size_t skeleton_count, const uint8_t *contents,
                  size_t contents_count, int compress, const uint8_t *aad, size_t aad_count, char *token) {
    // Header, then six bytes of flags and times; their values do not matter here.
    uint8_t *text = s->buffer + 24, *body = text + 6;
    size_t count;
    if (compress) {
        count = floor_deflate(s, skeleton, skeleton_count, body, skeleton_count);
        if (!count) return 0;
        memcpy(body + count, contents, contents_count);
        count += contents_count;
    } else {
        memcpy(body, skeleton, skeleton_count);
        count = skeleton_count;
    }
    uint8_t nonce[24];
    if (!floor_random(s, s->buffer + 4)) return 0;
    nonce_of(s->buffer + 4, nonce);
    if (!floor_encrypt(s, nonce, aad, aad_count, text, 6 + count)) return 0;
    return floor_base64_encode(s->buffer, 24 + 6 + count + 16, token);
}

size_t floor_open(floor_state *s, const char *token, size_t count, int compressed, const uint8_t *aad,
                  size_t aad_count, uint8_t *item, size_t limit) {
    size_t bytes = floor_base64_decode(token, count, s->buffer);
    if (bytes < 47) return 0;
    uint8_t nonce[24], *text = s->buffer + 24, *body = text + 6;
    nonce_of(s->buffer + 4, nonce);
    size_t text_count = bytes - 40, body_count = text_count - 6;
    if (!floor_decrypt(s, nonce, aad, aad_count, text, text_count)) return 0;
    if (!compressed) {
        memcpy(item, body, body_count);
        return body_count;
    }
    size_t inflated = floor_inflate(s, body, body_count, item, limit);
    size_t rest = s->inflate.avail_in;
    memcpy(item + inflated, body + body_count - rest, rest);
    return inflated + rest;
}
