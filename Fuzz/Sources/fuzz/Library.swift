// What the targets use from inside the library: only here, because the inside changes.
import Foundation

@testable import SealedCookie

/// The contents of a payload: its item, or the item's skeleton and the contents of its byte strings.
struct Opened {
    let times: SessionTimes
    let item: [UInt8]
    let contents: [UInt8]?

    init(_ payload: [UInt8], _ compression: SessionCompression) throws {
        try self.init(CompressedPayload(bytes: payload, range: 0..<payload.count), compression)
    }

    init(_ payload: consuming CompressedPayload, _ compression: SessionCompression) throws {
        var memory = WorkingMemory()
        times = try payload.decompressed(compression, in: &memory).times
        let opened = memory.item
        item = Array(opened.bytes[opened.range])
        contents = opened.contents.map { Array(opened.bytes[$0]) }
    }

    /// The item, put together and checked.
    func checked() throws -> CBORItem {
        guard let contents else { return try CheckedItem(parsing: item).wholeItem }
        var index = CheckedItem()
        try index.check(
            item + contents, item: 0..<item.count, contents: item.count..<item.count + contents.count)
        return index.wholeItem
    }
}

extension Opened {
    init(times: SessionTimes, item: [UInt8], contents: [UInt8]?) {
        (self.times, self.item, self.contents) = (times, item, contents)
    }
}

/// The first fields of a payload, flags for the lifetime included.
func fields(_ times: SessionTimes) -> [UInt8] {
    var bytes: [UInt8] = [
        times.marks.rawValue | (times.lifetime == nil ? 0 : CompressedPayload.Flag.lifetime)
    ]
    bytes.append(bigEndian: UInt64(times.created), byteCount: 4)
    bytes.append(addingCapacity: 15) { rest in
        rest.append(leb128: times.age)
        if let lifetime = times.lifetime {
            rest.append(leb128: lifetime.absolute)
            rest.append(leb128: lifetime.idle)
        }
    }
    return bytes
}

extension CompressionDictionary {
    var name: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: UInt64(id.number), byteCount: id.byteCount)
        return bytes
    }
}

extension UUID {
    init(of bytes: [UInt8]) { self.init(bytes: bytes.span) }
}
