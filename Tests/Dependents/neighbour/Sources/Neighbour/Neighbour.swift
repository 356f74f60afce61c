import COpenSSL
import CZlib

public func checksum() -> UInt { crc32(0, nil, 0) + (OpenSSL_version_num() > 0 ? 0 : 1) }
