// The functions that libFuzzer calls: one program, whose target is in the environment's FUZZ_TARGET.
//
// The library is built with its internals open (-enable-testing), so that a target can begin after the tag's check.
import Foundation

@testable import SealedCookie

struct Target: Sendable {
    let name: String
    let run: @Sendable ([UInt8]) throws -> Void
}

/// Ends the run: this is how libFuzzer learns of a finding and keeps the input.
func fail(_ what: String) -> Never {
    fatalError(what)  // On purpose: see above.
}

func require(_ condition: Bool, _ what: @autoclosure () -> String = "") {
    if !condition { fail("does not hold: \(what())") }
}

let chosen: Target = {
    let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
    guard let target = targets.first(where: { $0.name == name }) else {
        fail("FUZZ_TARGET is one of \(targets.map(\.name).joined(separator: " "))")
    }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try chosen.run(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fail("\(error)")
    }
    return 0
}

// MARK: Mutation that gets through DEFLATE

@_silgen_name("LLVMFuzzerMutate")
func mutate(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ capacity: Int) -> Int

/// Every second time, a payload's fields and its inflated body are changed instead of its bytes. A bit flipped in a
/// DEFLATE stream breaks the stream, and nothing after it would be reached.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateInput(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ capacity: Int, _ seed: CUnsignedInt
) -> Int {
    let prefix = chosen.name == "payload" ? 0 : chosen.name == "differential" ? 1 : -1
    guard prefix >= 0, seed & 1 == 0, count > prefix, prefix == 0 || start[0] & 1 == 1 else {
        return mutate(start, count, capacity)
    }
    let payload = Array(UnsafeBufferPointer(start: start + prefix, count: count - prefix))
    guard let changed = changedPayload(payload, seed >> 1), prefix + changed.count <= capacity else {
        return mutate(start, count, capacity)
    }
    for (index, byte) in changed.enumerated() { start[prefix + index] = byte }
    return prefix + changed.count
}

/// The payload, rebuilt with a change to its item, skeleton or contents; nil if it has none.
private func changedPayload(_ payload: [UInt8], _ seed: CUnsignedInt) -> [UInt8]? {
    guard let old = try? Opened(payload, ownCompression), old.item.count + (old.contents?.count ?? 0) < 8192
    else { return nil }
    var skeleton = old.item
    var contents = old.contents ?? []
    if seed & 1 == 0 || contents.isEmpty {
        skeleton = mutated(skeleton)
    } else {
        contents = mutated(contents)
    }
    var bytes = fields(old.times)
    // What was not compressed may be from now on: a byte string's contents then follow the stream.
    let way = old.contents == nil ? seed >> 1 & 7 : 1 + seed >> 1 & 3
    if (1...3).contains(way) {
        bytes[0] |= CompressedPayload.Flag.compressed
        var dictionary: CompressionDictionary?
        if way > 1 {
            dictionary = way == 2 ? .standard : ownDictionary
            bytes[0] |= CompressedPayload.Flag.dictionary
            bytes += dictionary?.name ?? []
        }
        var deflater = Deflater()
        deflater.findMatches(in: skeleton.span, after: dictionary?.contents.text ?? .empty)
        guard deflater.append(skeleton.span, to: &bytes, limit: skeleton.count + 64) else { return nil }
    } else {
        bytes += skeleton
    }
    bytes += contents
    if seed >> 4 & 7 == 0 {
        bytes[0] |= CompressedPayload.Flag.padding
        bytes += [0x80] + [UInt8](repeating: 0, count: Int(seed >> 7 & 15))
    }
    return bytes
}

private func mutated(_ bytes: [UInt8]) -> [UInt8] {
    let capacity = bytes.count + 64
    let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    defer { buffer.deallocate() }
    for (index, byte) in bytes.enumerated() { buffer[index] = byte }
    return Array(UnsafeBufferPointer(start: buffer, count: mutate(buffer, bytes.count, capacity)))
}
