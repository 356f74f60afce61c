// What a session kept in Redis costs: SETEX to write it and GET to read it, over TCP on loopback, one connection, one at a time.
// Usage: redis PORT CORPUS SECONDS, the seconds for each file and direction. Prints one JSON line a file. run.py starts the server.
#include <dirent.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fail(const char *what) {
    fprintf(stderr, "redis: %s\n", what);
    exit(1);
}

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct timing { double median, spread, p99; };

/// A session's id has 256 bits and stands in the cookie as base64url.
static const char key[] = "session:3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static void set(redisContext *redis, const char *value, size_t count) {
    redisReply *reply = redisCommand(redis, "SETEX %s 1209600 %b", key, value, count);
    if (!reply || reply->type != REDIS_REPLY_STATUS) fail("SETEX failed");
    freeReplyObject(reply);
}

static void get(redisContext *redis, const char *value, size_t count) {
    redisReply *reply = redisCommand(redis, "GET %s", key);
    if (!reply || reply->type != REDIS_REPLY_STRING || reply->len != count || memcmp(reply->str, value, count))
        fail("GET: another session came back");
    freeReplyObject(reply);
}

static struct timing measure(void (*work)(redisContext *, const char *, size_t), redisContext *redis, const char *value,
                             size_t count, double seconds) {
    size_t room = 1 << 20, n = 0;
    double *samples = malloc(room * sizeof *samples);
    if (!samples) fail("no memory");
    for (int i = 0; i < 50; i++) work(redis, value, count);
    double end = now_ns() + seconds * 1e9;
    do {
        double start = now_ns();
        work(redis, value, count);
        samples[n++] = now_ns() - start;
    } while (n < room && now_ns() < end);
    qsort(samples, n, sizeof *samples, compare);
    struct timing t = {samples[n / 2], 0, samples[n * 99 / 100]};
    t.spread = (samples[n * 3 / 4] - samples[n / 4]) / 2 / t.median * 100;
    free(samples);
    return t;
}

int main(int argc, char **argv) {
    if (argc != 4) fail("PORT CORPUS SECONDS");
    redisContext *redis = redisConnect("127.0.0.1", atoi(argv[1]));
    if (!redis || redis->err) fail("no server");
    redisReply *info = redisCommand(redis, "INFO server");
    char version[32] = "";
    char *found = info && info->type == REDIS_REPLY_STRING ? strstr(info->str, "redis_version:") : NULL;
    if (!found || sscanf(found, "redis_version:%31[0-9.]", version) != 1) fail("no version");
    freeReplyObject(info);
    struct dirent **names;
    int count = scandir(argv[2], &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        size_t length = strlen(names[i]->d_name);
        if (length < 5 || strcmp(names[i]->d_name + length - 5, ".json")) continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[2], names[i]->d_name);
        FILE *file = fopen(path, "rb");
        if (!file) fail("no such file");
        static char value[1 << 16];
        size_t size = fread(value, 1, sizeof value, file);
        fclose(file);
        struct timing sealing = measure(set, redis, value, size, atof(argv[3]));
        struct timing opening = measure(get, redis, value, size, atof(argv[3]));
        printf("{\"peer\": \"Redis on loopback\", \"version\": \"%s\", \"file\": \"%.*s\", \"size\": 43, \"seal_ns\": %.1f, \"open_ns\": %.1f, "
               "\"seal_spread\": %.2f, \"open_spread\": %.2f, \"seal_p99_ns\": %.1f, \"open_p99_ns\": %.1f, "
               "\"protects\": {\"encrypted\": false, \"signed\": false, \"compressed\": false, \"expires\": true}}\n",
               version, (int)(length - 5), names[i]->d_name, sealing.median, opening.median, sealing.spread, opening.spread, sealing.p99,
               opening.p99);
    }
    redisFree(redis);
}
