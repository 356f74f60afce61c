// What Swift's modules of the C library may lack: macOS's own calls, and extended attributes, in which Linux keeps
// access control lists.
#include <sys/xattr.h>
#if defined(__APPLE__)
#include <copyfile.h>
#include <sys/random.h>
#endif
