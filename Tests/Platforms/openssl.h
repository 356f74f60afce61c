// What the files compiled here use of OpenSSL and of Sources/COpenSSL/shim.h. The real headers include Linux's.
#include <stdbool.h>
typedef __SIZE_TYPE__ size_t;
typedef __UINT64_TYPE__ uint64_t;
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;
#define OPENSSL_INIT_NO_ATEXIT 0x00080000L
typedef struct { int unused; } OPENSSL_INIT_SETTINGS;
int OPENSSL_init_crypto(uint64_t, const OPENSSL_INIT_SETTINGS *);
OSSL_LIB_CTX *OSSL_LIB_CTX_get0_global_default(void);
void ERR_clear_error(void);
int RAND_bytes(unsigned char *, int);
int RAND_priv_bytes(unsigned char *, int);
void OPENSSL_cleanse(void *, size_t);
void *sealed_cookie_allocate(size_t);
void *sealed_cookie_grow(void *, size_t, size_t);
void sealed_cookie_wipe_and_free(void *, size_t);
bool sealed_cookie_has_processor_random(void);
uint64_t sealed_cookie_processor_random(void);
