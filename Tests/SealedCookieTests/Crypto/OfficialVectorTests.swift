// Complete official files of test vectors, if they are present: `make vectors`. They are not part of the project.
import Foundation
import Testing

@testable import SealedCookie

private let folder = ProcessInfo.processInfo.environment["OFFICIAL_VECTORS"]

@Suite(.enabled(if: folder != nil)) struct OfficialVectorTests {
    private func file(_ name: String) throws -> Data {
        try Data(contentsOf: URL(filePath: folder ?? "").appending(path: name))
    }

    /// Records of `NAME = value` or `NAME: value` lines, separated by empty lines.
    private func records(_ name: String) throws -> [[String: String]] {
        var records: [[String: String]] = [[:]]
        for line in String(decoding: try file(name), as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        {
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.isEmpty {
                if records.last?.isEmpty == false { records.append([:]) }
            } else if text == "FAIL" {
                records[records.count - 1]["FAIL"] = ""
            } else if !text.hasPrefix("#"), !text.hasPrefix("["),
                let mark = text.firstIndex(where: { "=:".contains($0) })
            {
                let key = text[..<mark].trimmingCharacters(in: .whitespaces)
                records[records.count - 1][key] = text[text.index(after: mark)...].trimmingCharacters(
                    in: .whitespaces)
            }
        }
        return records.filter { !$0.isEmpty }
    }

    private func bytes(_ record: [String: String], _ name: String) throws -> [UInt8] {
        try #require([UInt8](hex: record[name] ?? ""), "\(name)")
    }

    @Test(arguments: ["nist/gcmEncryptExtIV256_iv96_tag128.rsp", "nist/gcmDecrypt256_iv96_tag128.rsp"])
    func `NIST CAVP, AES-256-GCM`(name: String) throws {
        var (ran, failing) = (0, 0)
        for record in try records(name) where record["Key"] != nil {
            let (key, nonce, data) = (
                try bytes(record, "Key"), try bytes(record, "IV"), try bytes(record, "AAD")
            )
            let (text, tag) = (try bytes(record, "CT"), try bytes(record, "Tag"))
            var sealed = text + tag
            let isAuthentic = try AES256GCM.open(
                &sealed, ciphertext: 0..<text.count, key: key, nonce: nonce, associatedData: data)
            #expect(isAuthentic == (record["FAIL"] == nil))
            ran += 1
            guard isAuthentic else {
                failing += 1
                continue
            }
            let plaintext = try bytes(record, "PT")
            #expect(Array(sealed[..<text.count]) == plaintext)
            sealed = plaintext + [UInt8](repeating: 0, count: 16)
            try AES256GCM.seal(
                &sealed, plaintext: 0..<plaintext.count, key: key, nonce: nonce, associatedData: data)
            #expect(sealed == text + tag)
        }
        print("\(name): \(ran) run, \(failing) of them to be refused")
        #expect(ran == 375 && failing == (name.contains("Decrypt") ? 191 : 0))
    }

    struct Wycheproof: Decodable {
        struct Group: Decodable {
            struct Test: Decodable {
                let tcId: Int
                let result: String
                let key: Hex, iv: Hex?, aad: Hex?, msg: Hex, ct: Hex?, tag: Hex
            }
            let keySize: Int, ivSize: Int?, tagSize: Int
            let tests: [Test]
        }
        let testGroups: [Group]
    }

    @Test func `Wycheproof, AES-256-GCM`() throws {
        let groups = try JSONDecoder().decode(Wycheproof.self, from: file("wycheproof/aes_gcm_test.json"))
            .testGroups
        var ran = 0
        for group in groups where group.keySize == 256 && group.ivSize == 96 && group.tagSize == 128 {
            for test in group.tests {
                let text = test.ct?.bytes ?? []
                var sealed = text + test.tag.bytes
                let isAuthentic = try AES256GCM.open(
                    &sealed, ciphertext: 0..<text.count, key: test.key.bytes, nonce: test.iv?.bytes ?? [],
                    associatedData: test.aad?.bytes ?? [])
                #expect(isAuthentic == (test.result == "valid"), "\(test.tcId)")
                if isAuthentic { #expect(Array(sealed[..<text.count]) == test.msg.bytes, "\(test.tcId)") }
                ran += 1
            }
        }
        print("Wycheproof AES-256-GCM: \(ran) run")
        #expect(ran == 66)
    }

    @Test func `Wycheproof, AES-256-CMAC`() throws {
        let groups = try JSONDecoder().decode(Wycheproof.self, from: file("wycheproof/aes_cmac_test.json"))
            .testGroups
        var ran = 0
        for group in groups where group.keySize == 256 && group.tagSize == 128 {
            for test in group.tests {
                let key = test.key.bytes
                let code = try CMAC.authenticationCode(for: test.msg.bytes, key: key.span)
                #expect(
                    ((0..<16).map { code[$0] } == test.tag.bytes) == (test.result == "valid"), "\(test.tcId)")
                ran += 1
            }
        }
        print("Wycheproof AES-256-CMAC: \(ran) run")
        #expect(ran == 102)
    }

    @Test func `AWS-LC, XAES-256-GCM`() throws {
        var ran = 0
        for record in try records("xaes/awslc_xaes_256_gcm_tests.txt") where record["KEY"] != nil {
            let nonceBytes = try bytes(record, "NONCE")
            guard nonceBytes.count == 24 else { continue }
            let keyBytes = try bytes(record, "KEY")
            let data = try bytes(record, "AD")
            var ciphers = try XAESCiphers(XAESKey(SecretBytes.copy(of: keyBytes.span)))
            let nonce = XAESNonce(nonceBytes.span)
            let plaintext = try bytes(record, "IN")
            var sealed = plaintext + [UInt8](repeating: 0, count: 16)
            try ciphers.seal(
                &sealed, plaintext: 0..<plaintext.count, nonce: nonce,
                associatedData: data.span)
            #expect(try sealed == bytes(record, "CT") + bytes(record, "TAG"))
            ran += 1
        }
        print("AWS-LC XAES-256-GCM: \(ran) run")
        #expect(ran == 3)
    }

    struct C2SP: Decodable {
        let accumulated: [String: String]
    }

    @Test func `C2SP's accumulated hash over 1,000,000 random messages`() throws {
        let expected = try JSONDecoder().decode(C2SP.self, from: file("xaes/c2sp_xaes_256_gcm.json"))
            .accumulated["1000000"]
        // 313 bytes a message on average.
        let random = shake128([], count: 320_000_000)
        var position = 0
        func next(_ count: Int) throws -> [UInt8] {
            try #require(position + count <= random.count)
            defer { position += count }
            return Array(random[position..<position + count])
        }
        var output: [UInt8] = []
        output.reserveCapacity(150_000_000)
        for _ in 0..<1_000_000 {
            let keyBytes = try next(32)
            var ciphers = try XAESCiphers(XAESKey(SecretBytes.copy(of: keyBytes.span)))
            let nonceBytes = try next(24)
            let nonce = XAESNonce(nonceBytes.span)
            let plaintext = try next(Int(next(1)[0]))
            let data = try next(Int(next(1)[0]))
            var sealed = plaintext + [UInt8](repeating: 0, count: 16)
            try ciphers.seal(&sealed, plaintext: 0..<plaintext.count, nonce: nonce, associatedData: data.span)
            output += sealed
        }
        print("C2SP XAES-256-GCM: 1000000 run")
        #expect(shake128(output, count: 32).hex == expected)
    }
}
