// OpenSSL's libcrypto, with functions for the macros that Swift cannot see.
#ifndef SEALED_COOKIE_OPENSSL_SHIM_H
#define SEALED_COOKIE_OPENSSL_SHIM_H

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

static inline void *sealed_cookie_allocate(size_t size) { return OPENSSL_zalloc(size); }

static inline void *sealed_cookie_grow(void *pointer, size_t old_size, size_t new_size) {
    return OPENSSL_clear_realloc(pointer, old_size, new_size);
}

static inline void sealed_cookie_wipe_and_free(void *pointer, size_t size) {
    OPENSSL_clear_free(pointer, size);
}

#endif
