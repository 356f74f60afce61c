// Stands between the library and OpenSSL, zlib, getentropy and mmap: the executable's own functions come before a shared library's.
#define _GNU_SOURCE
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

static int armed, armed_way, is_ready, forbids_pages;
static long due;
enum { HIT_SIZE = 128 };
// With children, so that one that crashes has told what failed.
static struct {
    long counted;
    char hit[HIT_SIZE];
} *shared;

void fault_arm(int group, long at, int way) {
    shared->counted = 0;
    due = at;
    armed_way = way;
    shared->hit[0] = 0;
    armed = group;
}

void fault_disarm(void) { armed = 0; }
long fault_total(void) { return shared->counted; }

const char *fault_hit(void) { return shared->hit; }
void fault_forget(void) { shared->hit[0] = 0; }
void fault_forbid_pages(void) { forbids_pages = 1; }
int fault_ready(void) { return is_ready; }
int fault_is_queued(void) { return ERR_peek_error() != 0; }
void fault_leak(void) {
    char *volatile lost = malloc(4096);
    lost[0] = 1;
}

// The way in which this call is to fail, or 0. `ways` has a bit for each that it can.
static int fault(int group, const char *name, int line, unsigned ways) {
    if (armed != group) return 0;
    if (++shared->counted != due || !(ways & 1u << armed_way)) return 0;
    if (line) {
        const char *slash = strrchr(name, '/');
        snprintf(shared->hit, HIT_SIZE, "%s:%d", slash ? slash + 1 : name, line);
    } else {
        snprintf(shared->hit, HIT_SIZE, "%s", name);
    }
    return armed_way;
}

enum {
    REFUSES = 1 << FAULT_REFUSES,
    LATE = 1 << FAULT_LATE,
    OTHERWISE = 1 << FAULT_OTHERWISE,
    SHORT = 1 << FAULT_SHORT,
};

// The one that would be called without us. Kept, for dlsym takes memory itself.
#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

// Whether the library calls, which is linked into the executable, and not OpenSSL itself.
extern const char __executable_start, etext;
#define IS_OURS ((const char *)__builtin_return_address(0) >= &__executable_start && (const char *)__builtin_return_address(0) < &etext)
#define CALL_FAULT(name, ways) (IS_OURS ? fault(FAULT_CALLS, name, 0, (ways)) : 0)

// A call that gives `no`, or `other`, when it fails.
#define CALL(type, name, parameters, arguments, ways, no, other) \
    type name parameters { \
        REAL(name); \
        int way = CALL_FAULT(#name, ways); \
        if (way == FAULT_REFUSES) return no; \
        if (way == FAULT_OTHERWISE) return other; \
        type result = real arguments; \
        return way == FAULT_LATE ? no : result; \
    }

// What gives a pointer cannot fail late: nobody could free it then.
CALL(void *, CRYPTO_zalloc, (size_t size, const char *file, int line), (size, file, line), REFUSES, NULL, NULL)
CALL(void *, CRYPTO_clear_realloc, (void *pointer, size_t old, size_t size, const char *file, int line),
     (pointer, old, size, file, line), REFUSES, NULL, NULL)
CALL(int, OPENSSL_init_crypto, (uint64_t options, const OPENSSL_INIT_SETTINGS *settings), (options, settings), REFUSES | LATE, 0, 0)
CALL(OSSL_LIB_CTX *, OSSL_LIB_CTX_get0_global_default, (void), (), REFUSES, NULL, NULL)
CALL(int, RAND_bytes, (unsigned char *bytes, int count), (bytes, count), REFUSES | LATE | OTHERWISE, 0, -1)
CALL(int, getentropy, (void *bytes, size_t count), (bytes, count), REFUSES | LATE, (errno = EIO, -1), 0)
CALL(int, RAND_priv_bytes, (unsigned char *bytes, int count), (bytes, count), REFUSES | LATE | OTHERWISE, 0, -1)
CALL(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, (void), (), REFUSES, NULL, NULL)
CALL(const EVP_CIPHER *, EVP_aes_256_ecb, (void), (), REFUSES, NULL, NULL)
CALL(const EVP_CIPHER *, EVP_aes_256_gcm, (void), (), REFUSES, NULL, NULL)
CALL(int, EVP_CIPHER_CTX_set_padding, (EVP_CIPHER_CTX *context, int on), (context, on), REFUSES | LATE | OTHERWISE, 0, -1)
CALL(int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX *context, int type, int argument, void *pointer),
     (context, type, argument, pointer), REFUSES | LATE | OTHERWISE, 0, -1)
CALL(int, EVP_EncryptInit_ex,
     (EVP_CIPHER_CTX *context, const EVP_CIPHER *type, ENGINE *engine, const unsigned char *key, const unsigned char *iv),
     (context, type, engine, key, iv), REFUSES | LATE | OTHERWISE, 0, -1)
CALL(int, EVP_DecryptInit_ex,
     (EVP_CIPHER_CTX *context, const EVP_CIPHER *type, ENGINE *engine, const unsigned char *key, const unsigned char *iv),
     (context, type, engine, key, iv), REFUSES | LATE | OTHERWISE, 0, -1)
CALL(int, EVP_EncryptFinal_ex, (EVP_CIPHER_CTX *context, unsigned char *out, int *count), (context, out, count),
     REFUSES | LATE | OTHERWISE, 0, -1)
CALL(int, EVP_DecryptFinal_ex, (EVP_CIPHER_CTX *context, unsigned char *out, int *count), (context, out, count),
     REFUSES | LATE | OTHERWISE, 0, -1)
CALL(EVP_MAC *, EVP_MAC_fetch, (OSSL_LIB_CTX *library, const char *algorithm, const char *properties),
     (library, algorithm, properties), REFUSES, NULL, NULL)
CALL(EVP_MAC_CTX *, EVP_MAC_CTX_new, (EVP_MAC *mac), (mac), REFUSES, NULL, NULL)
CALL(int, EVP_MAC_init, (EVP_MAC_CTX *context, const unsigned char *key, size_t count, const OSSL_PARAM parameters[]),
     (context, key, count, parameters), REFUSES | LATE | OTHERWISE, 0, -1)
CALL(int, EVP_MAC_update, (EVP_MAC_CTX *context, const unsigned char *bytes, size_t count), (context, bytes, count),
     REFUSES | LATE | OTHERWISE, 0, -1)

// A call that says how much it wrote.
int EVP_EncryptUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *written, const unsigned char *bytes, int count) {
    REAL(EVP_EncryptUpdate);
    int way = CALL_FAULT("EVP_EncryptUpdate", REFUSES | LATE | OTHERWISE | SHORT);
    if (way == FAULT_REFUSES) return 0;
    if (way == FAULT_OTHERWISE) return -1;
    int result = real(context, out, written, bytes, way == FAULT_SHORT ? count / 2 : count);
    return way == FAULT_LATE ? 0 : result;
}

int EVP_DecryptUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *written, const unsigned char *bytes, int count) {
    REAL(EVP_DecryptUpdate);
    int way = CALL_FAULT("EVP_DecryptUpdate", REFUSES | LATE | OTHERWISE | SHORT);
    if (way == FAULT_REFUSES) return 0;
    if (way == FAULT_OTHERWISE) return -1;
    int result = real(context, out, written, bytes, way == FAULT_SHORT ? count / 2 : count);
    return way == FAULT_LATE ? 0 : result;
}

int EVP_MAC_final(EVP_MAC_CTX *context, unsigned char *out, size_t *written, size_t size) {
    REAL(EVP_MAC_final);
    int way = CALL_FAULT("EVP_MAC_final", REFUSES | LATE | OTHERWISE | SHORT);
    if (way == FAULT_REFUSES) return 0;
    if (way == FAULT_OTHERWISE) return -1;
    int result = real(context, out, written, size);
    if (way == FAULT_SHORT) *written /= 2;
    return way == FAULT_LATE ? 0 : result;
}

int EVP_Q_digest(OSSL_LIB_CTX *library, const char *name, const char *properties, const void *bytes, size_t count,
                 unsigned char *digest, size_t *written) {
    REAL(EVP_Q_digest);
    int way = CALL_FAULT("EVP_Q_digest", REFUSES | LATE | OTHERWISE | SHORT);
    if (way == FAULT_REFUSES) return 0;
    if (way == FAULT_OTHERWISE) return -1;
    int result = real(library, name, properties, bytes, count, digest, written);
    if (way == FAULT_SHORT) *written /= 2;
    return way == FAULT_LATE ? 0 : result;
}

// zlib

CALL(int, inflateReset, (z_streamp stream), (stream), REFUSES | LATE, Z_STREAM_ERROR, 0)
CALL(int, inflateSetDictionary, (z_streamp stream, const Bytef *bytes, uInt count), (stream, bytes, count),
     REFUSES | LATE | OTHERWISE, Z_MEM_ERROR, Z_STREAM_ERROR)
CALL(int, inflate, (z_streamp stream, int flush), (stream, flush), REFUSES | LATE | OTHERWISE, Z_MEM_ERROR, Z_STREAM_ERROR)

static voidpf take(voidpf opaque, uInt items, uInt size) {
    (void)opaque;
    return fault(FAULT_ZLIB_MEMORY, "malloc", 0, REFUSES) ? NULL : malloc((size_t)items * size);
}
static void give(voidpf opaque, voidpf block) {
    (void)opaque;
    free(block);
}
static void lay_hands_on(z_streamp stream) {
    stream->zalloc = take;
    stream->zfree = give;
}

int inflateInit2_(z_streamp stream, int bits, const char *version, int size) {
    REAL(inflateInit2_);
    int way = CALL_FAULT("inflateInit2_", REFUSES | OTHERWISE);
    if (way) return way == FAULT_REFUSES ? Z_MEM_ERROR : Z_VERSION_ERROR;
    lay_hands_on(stream);
    return real(stream, bits, version, size);
}

// The page of random bytes, told by its size from what else is mapped.

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    if (!address && size == 4096 && file == -1 && CALL_FAULT("mmap", REFUSES)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}

int madvise(void *address, size_t size, int advice) {
    // Advice that there is none of: an emulator says yes to it.
    if (advice == -1 && CALL_FAULT("madvise", REFUSES)) return 0;
    if (advice == MADV_WIPEONFORK && (forbids_pages || CALL_FAULT("madvise", REFUSES | LATE))) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_madvise, address, size, advice);
}

// OpenSSL's memory.

static void *openssl_malloc(size_t size, const char *file, int line) {
    if (!size || fault(FAULT_OPENSSL_MEMORY, file, line, REFUSES)) return NULL;
    return malloc(size);
}
static void openssl_free(void *pointer, const char *file, int line) {
    (void)file;
    (void)line;
    free(pointer);
}
static void *openssl_realloc(void *pointer, size_t size, const char *file, int line) {
    if (!size) {
        free(pointer);
        return NULL;
    }
    return fault(FAULT_OPENSSL_MEMORY, file, line, REFUSES) ? NULL : realloc(pointer, size);
}

__attribute__((constructor)) static void prepare(void) {
    shared = (void *)syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    is_ready = CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
}
