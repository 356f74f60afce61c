// The JSON view of CBOR: its forms, and JSON that is not a view.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct JSONViewTests {
    static let jsonForms: [(json: String, hex: String?)] = [
        // The number of a fraction's digits distinguishes the three forms of a time.
        (#"{"$date": "2013-03-21T20:04:00Z"}"#, "c11a514b67b0"),
        (#"{"$date": "2013-03-21T20:04:00.5Z"}"#, "c1fb41d452d9ec200000"),
        (#"{"$date": "2013-03-21T20:04:00.500000000Z"}"#, "d903e9a2011a514b67b0281a1dcd6500"),
        (#"{"$date": "@-1"}"#, "c120"),
        (#"{"$date": "@-1.5"}"#, "c1f9be00"),
        // Found by fuzzing: a time that is a NaN with a payload.
        (#"{"$date": "@0xfffee40000000000"}"#, "c1f9ffb9"),
        (#"{"$date": "@0xfffffc0000000000"}"#, "c1f9ffff"),
        (#"{"$date": "@nan"}"#, "c1f97e00"), (#"{"$date": "@-inf"}"#, "c1f9fc00"),
        (#"{"$date": "@-2+500000000"}"#, "d903e9a20121281a1dcd6500"),
        (#"{"$date": "1583-01-01T00:00:00Z"}"#, "c13b00000002d7ecc77f"),
        (#"{"$date": "1582-12-31T23:59:59Z"}"#, nil),
        (#"{"$date": "2026-02-29T00:00:00Z"}"#, nil),
        (#"{"$date": "2026-02-28T00:00:60Z"}"#, nil),
        (#"{"$date": "2026-02-28T00:00:00+00:00"}"#, nil),
        (#"{"$date": "@1e3+500000000"}"#, nil),
        (#"{"$date": "@0x10"}"#, nil),
        // Not the nearest float.
        (#"{"$date": "@9223372036854775809"}"#, nil), (#"{"$date": "@-9223372036854775809"}"#, nil),
        (#"{"$date": "@-0"}"#, nil), (#"{"$date": "@9223372036854775808.0"}"#, "c1fa5f000000"),
        (#"{"$float": "1.0"}"#, "f93c00"),
        (#"{"$float": "1e2"}"#, "f95640"),
        (#"{"$float": "nan"}"#, "f97e00"),
        (#"{"$float": "0x7ff8000000000001"}"#, "fb7ff8000000000001"),
        (#"{"$float": "0x3ff0000000000000"}"#, nil),
        (#"{"$float": "0x1p3"}"#, nil),
        (#"{"$float": "infinity"}"#, nil),
        // Found by fuzzing: text that Swift reads as a number but JSON never writes.
        (#"{"$float": ".5"}"#, nil), (#"{"$float": "5."}"#, nil), (#"{"$float": "+5"}"#, nil),
        (#"{"$float": "05"}"#, nil),
        (#"{"$float": "1e400"}"#, nil), (#"{"$float": "-1e400"}"#, nil), (#"{"$float": " 5"}"#, nil),
        (#"{"$date": "@.5"}"#, nil),
        (#"{"$date": "@+5"}"#, nil), (#"{"$date": "@+5+500000000"}"#, nil), (#"{"$date": "@05"}"#, nil),
        (#"{"$int": "18446744073709551616"}"#, "c249010000000000000000"),
        (#"{"$int": "007"}"#, nil),
        (#"{"$int": "+7"}"#, nil),
        (#"{"$int": "-0"}"#, nil),
        ("18446744073709551615", "1bffffffffffffffff"),
        ("18446744073709551616", nil),
        ("1.0", "01"),
        ("1e400", nil),
        (#"{"$decimal": "-125e-2"}"#, "c48221387c"),
        (#"{"$decimal": "-1.25"}"#, "c48221387c"),
        (#"{"$bytes": "AQ"}"#, "4101"),
        (#"{"$bytes": "AQ=="}"#, nil),
        (#"{"$uuid": "FE049F18-1B8F-4A6F-8C38-00C3448DE041"}"#, "d82550fe049f181b8f4a6f8c3800c3448de041"),
        // Found by fuzzing.
        (#"{"$uuid": "fe049f18-1b8f-0x6f-8c38-00c3448de041"}"#, nil),
        (#"{"$5": {"$$bytes": null}}"#, "a105a166246279746573f6"),
        (#"{"$05": 1}"#, nil),
        // Found by fuzzing: a text key of `$` and a combining accent, which Swift sees as one character other than
        // `$`.
        (#"{"$$\u0301": 1}"#, "a16324cc8101"),
        (#"{"$\u0301": 1}"#, nil),
        (#"{"$5\u0301": 1}"#, nil),
        (#"{"$x": 1}"#, nil),
        (#"{"$bytes": "AQ", "b": 1}"#, nil),
        // JSONDecoder would keep one of them.
        (#"{"a": 1, "b": 2, "a": 3}"#, nil),
        (
            #"{"a:": "\\\":", "b": [{"c": ":\\"}, {"d": "", "e": {}}]}"#,
            "a2616282a16163623a5ca26164606165a062613a635c223a"
        ),
        (#"{"\u00e9": 1, "e\u0301": 2}"#, nil),
        (#"{"$map": [["e\u0301", 2], ["\u00e9", 1], [5, null]]}"#, "a305f662c3a9016365cc8102"),
        (#"{"$map": [["a", 1], ["a", 2]]}"#, nil),
        (#"{"$map": [[1.5, 1]]}"#, nil),
        (#"{"$map": [["a"]]}"#, nil),
        // Found by fuzzing: decimals below one, and exponents beyond a million.
        (#"{"$decimal": "0.5"}"#, "c4822005"), (#"{"$decimal": "-0.050"}"#, "c482223831"),
        (#"{"$decimal": "1e9223372036854775807"}"#, "c4821b7fffffffffffffff01"),
        (#"{"$decimal": "1.5e-9223372036854775808"}"#, nil), (#"{"$decimal": "12"}"#, "c482000c"),
        (#"{"$decimal": "-1.25e3"}"#, "c48201387c"), (#"{"$decimal": "0.00"}"#, "c4822100"),
        (#"{"$decimal": "00.5"}"#, nil), (#"{"$decimal": "-0.0"}"#, nil), (#"{"$decimal": "--1"}"#, nil),
        (#"{"$decimal": "1e05"}"#, nil), (#"{"$decimal": "1e+5"}"#, nil), (#"{"$decimal": ".5"}"#, nil),
        (#"{"$decimal": "1."}"#, nil), (#"{"$decimal": "1.-5"}"#, nil), (#"{"$decimal": "-"}"#, nil),
        (#"{"$decimal": ""}"#, nil),
        // Found by fuzzing: the lowest mantissa, whose digits alone exceed 128 bits.
        (
            #"{"$decimal": "-340282366920938463463374607431768211456e127"}"#,
            "c482187fc350" + String(repeating: "ff", count: 16)
        ),
        (#"{"$decimal": "340282366920938463463374607431768211456"}"#, nil),
        // Found by fuzzing: numbers that Foundation rounds before anyone sees them.
        ("18446744073709551615.0", "1bffffffffffffffff"),
        ("-92233720368547758080e-1", "3b7fffffffffffffff"),
        ("1844674407370955161.50e1", "1bffffffffffffffff"),
        ("123456789012345678901e200", nil),
        ("184467440730000000000000000000000000000000000000000000000000000000000000000709551615", nil),
        ("1e300", "fb7e37e43c8800759c"),
        ("18446744073709551616.5", "fa5f800000"),
        ("1e-400", "f90000"),
        ("0e999999999999999999999", "00"),
        ("-0.0", "00"),
        ("1e999999999999999999999", nil),
        ("1e-999999999999999999999", "f90000"),
        // RFC 8259, and what other parsers accept in addition.
        ("\u{FEFF} [ 1 ,\t-2.5e+1\r\n, \"\" ] ", "8301381860"), ("[1,]", nil), (#"{"a":1,}"#, nil),
        ("[1 2]", nil),
        ("01", nil), ("1.", nil), (".5", nil), ("+1", nil), ("-", nil), ("1e", nil), ("0x10", nil),
        ("NaN", nil),
        ("nul", nil), ("[1]]", nil), ("// a\n1", nil), ("'a'", nil), ("{a: 1}", nil), (#"{"a" 1}"#, nil),
        (#"{"a": }"#, nil),
        ("\"\t\"", nil), (#""\x""#, nil), (#""\u12""#, nil), (#""\u+123""#, nil), (#""\ud800""#, nil),
        (#""\ud83d\u0041""#, nil),
        (#""\ude00""#, nil), (#""a"#, nil), (#""\"#, nil), (#""\ud83d\ude00""#, "64f09f9880"),
        (#""\"\\\/\b\f\n\r\t\u0000""#, "69225c2f080c0a0d0900"), ("\"\u{7F}\u{2028}\"", "647fe280a8"),
        (String(repeating: "[", count: 600), nil), (String(repeating: "{\"a\":", count: 600), nil),
    ]

    @Test(arguments: jsonForms) func `the JSON view's forms, and what is none`(json: String, hex: String?)
        throws
    {
        guard let hex else {
            #expect(throws: CBORJSONFailure.self) { try CBORJSON(parsing: Data(json.utf8)) }
            return
        }
        let value = try CBORJSON(parsing: Data(json.utf8)).value
        let item = try CBOREncoder.encode(value)
        #expect(item.bytes.hex == hex)
        #expect(try CBORJSON(parsing: CBORJSON(value).text(pretty: false)).value == value)
    }
}
