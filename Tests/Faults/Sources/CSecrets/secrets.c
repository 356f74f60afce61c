#include "secrets.h"

#include <openssl/crypto.h>
#include <valgrind/callgrind.h>
#include <valgrind/memcheck.h>

int secrets_are_checked(void) { return RUNNING_ON_VALGRIND != 0; }
void secrets_mark(const void *bytes, size_t count) { VALGRIND_MAKE_MEM_UNDEFINED(bytes, count); }
void secrets_publish(const void *bytes, size_t count) { VALGRIND_MAKE_MEM_DEFINED(bytes, count); }
long secrets_reports(void) { return (long)VALGRIND_COUNT_ERRORS; }
void secrets_count(void) { CALLGRIND_TOGGLE_COLLECT; }
const char *secrets_processor(void) { return OPENSSL_info(OPENSSL_INFO_CPU_SETTINGS); }

int secrets_compare_early(const unsigned char *a, const unsigned char *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (a[i] != b[i]) return 0;
    return 1;
}

int secrets_decode_by_table(const unsigned char *text, size_t count, unsigned char *sextets) {
    static unsigned char table[256];
    for (int i = 0; i < 64; i++) table[(unsigned char)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[i]] = (unsigned char)i;
    for (size_t i = 0; i < count; i++) sextets[i] = table[text[i]];
    return 1;
}
