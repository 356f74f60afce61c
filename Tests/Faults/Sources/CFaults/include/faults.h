// Makes one call into OpenSSL, zlib or the system fail: the one that is due.
#ifndef FAULTS_H
#define FAULTS_H

/// What can be made to fail.
enum fault_group {
    /// The library's own calls: faults.c has their list.
    FAULT_CALLS = 1,
    /// Memory for OpenSSL.
    FAULT_OPENSSL_MEMORY,
    /// Memory for zlib.
    FAULT_ZLIB_MEMORY,
};

/// How a call fails. Not every call can fail in every way.
enum fault_way {
    /// Does nothing and says no.
    FAULT_REFUSES = 1,
    /// Does its work, and then says no.
    FAULT_LATE,
    /// Does nothing and gives its other sign of failure, such as -1.
    FAULT_OTHERWISE,
    /// Does half of its work, says yes, and gives the smaller count.
    FAULT_SHORT,
};

/// From now on calls of `group` are counted, and the `at`-th fails; 0: none does.
void fault_arm(int group, long at, int way);
/// Ends it.
void fault_disarm(void);
/// How many calls were counted last, also by a child.
long fault_total(void);
/// What was made to fail last, also by a child of this process that is no more; empty: nothing was.
const char *fault_hit(void);
void fault_forget(void);
/// From now on no page is to be had that a fork wipes.
void fault_forbid_pages(void);
/// Whether OpenSSL has errors queued for this thread.
int fault_is_queued(void);
/// Loses some memory, for a leak check that must find it.
void fault_leak(void);
/// 0 where OpenSSL had taken memory before its allocator could be replaced.
int fault_ready(void);

#endif
