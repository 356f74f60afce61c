/* Makes OpenSSL fail while the file LIBRARY_FAILS exists, and its decrypting alone while there is one of that name and ".opening".
   For visits_test.py, by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(int opens) {
    const char *file = getenv("LIBRARY_FAILS");
    char opening[PATH_MAX];
    snprintf(opening, sizeof opening, "%s.opening", file ? file : "");
    return file && (access(file, F_OK) == 0 || (opens && access(opening, F_OK) == 0));
}

#define FAILING(name, opens) \
    int name(void *context, unsigned char *out, int *count, const unsigned char *in, int length) { \
        static int (*real)(void *, unsigned char *, int *, const unsigned char *, int); \
        if (!real) real = (int (*)(void *, unsigned char *, int *, const unsigned char *, int))dlsym(RTLD_NEXT, #name); \
        return fails(opens) ? 0 : real(context, out, count, in, length); \
    }

FAILING(EVP_DecryptUpdate, 1)
FAILING(EVP_EncryptUpdate, 0)
