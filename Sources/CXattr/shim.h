// What Swift's modules of the C library may lack: extended attributes, in which Linux keeps access control lists, and
// macOS's own calls.
#include <sys/xattr.h>
#if defined(__APPLE__)
#include <copyfile.h>
#include <sys/random.h>
#endif
