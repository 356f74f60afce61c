// Tells valgrind's memcheck which bytes are secret: it reports each branch and each address that depends on them.
#ifndef SECRETS_H
#define SECRETS_H

#include <stddef.h>

int secrets_are_checked(void);
void secrets_mark(const void *bytes, size_t count);
/// For what anybody may know: it depends on secrets no longer.
void secrets_publish(const void *bytes, size_t count);
/// How many reports there have been.
long secrets_reports(void);
/// Callgrind counts instructions from here on, or no longer.
void secrets_count(void);
/// OpenSSL's list of what the processor can do, as it is used here.
const char *secrets_processor(void);

/// How not to compare: returns at the first difference.
int secrets_compare_early(const unsigned char *a, const unsigned char *b, size_t count);
/// How not to decode: by a table.
int secrets_decode_by_table(const unsigned char *text, size_t count, unsigned char *sextets);

#endif
