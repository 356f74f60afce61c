// zlib, used only to inflate.
#ifndef SEALED_COOKIE_ZLIB_SHIM_H
#define SEALED_COOKIE_ZLIB_SHIM_H

#include <zlib.h>

#endif
