// Extended attributes of files, in which Linux keeps access control lists. Swift's Glibc lacks them.
#include <sys/xattr.h>
