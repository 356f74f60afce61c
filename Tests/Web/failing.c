/* Makes OpenSSL fail while the file LIBRARY_FAILS exists. For visits_test.py, by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(void) {
    const char *file = getenv("LIBRARY_FAILS");
    return file && access(file, F_OK) == 0;
}

#define FAILING(name)                                                                                        \
    int name(void *context, unsigned char *out, int *count, const unsigned char *in, int length) {           \
        static int (*real)(void *, unsigned char *, int *, const unsigned char *, int);                      \
        if (!real) real = (int (*)(void *, unsigned char *, int *, const unsigned char *, int))dlsym(RTLD_NEXT, #name); \
        return fails() ? 0 : real(context, out, count, in, length);                                          \
    }

FAILING(EVP_DecryptUpdate)
FAILING(EVP_EncryptUpdate)
