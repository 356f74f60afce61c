// OpenSSL's libcrypto, functions for the macros that Swift cannot see, and the processor's random generator.
#ifndef SEALED_COOKIE_OPENSSL_SHIM_H
#define SEALED_COOKIE_OPENSSL_SHIM_H

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static inline void *sealed_cookie_allocate(size_t size) { return OPENSSL_zalloc(size); }

static inline void *sealed_cookie_grow(void *pointer, size_t old_size, size_t new_size) {
    return OPENSSL_clear_realloc(pointer, old_size, new_size);
}

static inline void sealed_cookie_wipe_and_free(void *pointer, size_t size) {
    OPENSSL_clear_free(pointer, size);
}

// Whether the processor has RDRAND. Other processors' generators are not used.
static inline bool sealed_cookie_has_processor_random(void) {
#if defined(__x86_64__)
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & (1u << 30));
#else
    return false;
#endif
}

// 0 if the generator has nothing to return, or there is none.
static inline uint64_t sealed_cookie_processor_random(void) {
#if defined(__x86_64__)
    uint64_t bits;
    unsigned char is_drawn;
    __asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(bits), "=qm"(is_drawn) : : "cc");
    return is_drawn ? bits : 0;
#else
    return 0;
#endif
}

#endif
