import GuestMemory
import SeededRandom
import Testing
import VhostVDPA

@testable import DeviceScripts

/// Whatever a text has: it is refused with its line, or it is read, written and read again as the same.
@Suite("A hostile script's text", .timeLimit(.minutes(15)))
struct HostileTextTests {
    private static let verbs =
        ScriptRequestKind.all.map(\.name) + ScriptMessage.Kind.allCases.map(\.name) + [
            "open", "close", "write", "map", "doorbell", "memory", "protect", "unmap", "store", "load",
            "eventfd",
            "signal", "take", "settle", "pause", "IOCTL", "child", "dev2.GET_STATUS", "->", "#", "OPEN",
        ]
    private static let keys = [
        "index", "num", "group", "asid", "fd", "desc", "avail", "used", "log", "flags", "offset", "length",
        "bytes",
        "iova", "size", "memory", "access", "count", "queue", "",
    ]
    private static let values = [
        "0", "1", "7", "0x0", "0xff", "0x100", "4294967295", "4294967296", "0xffffffffffffffff",
        "18446744073709551616", "-1", "+5", "0x", "00", "0f", "0", "none", "closed", "null", "ram",
        "ram+0x10", "ram+",
        "+", "kick", "rw", "ro", "wo", "255", "256", "ok", "EINVAL", "E999", "E1", "E-1", "?1", "?ok",
        "?EINVAL", "0x1..0x2",
        "1.2", "1...2", "bytes=", "bytes=00", "4K", "64T", "16E", "5ms", "4294967296ms", "é", "\u{301}",
        "@null", "@ram+0x1",
        "@0x1000", "shared", "private", "readonly", "read", "v1", "readable", "0x4008afee", "0x8008af73",
        "0xc008af12",
    ]
    private static let ends = ["\n", "\r\n", "\r", "\r\r\n", " \t\n", "", "\u{2028}", "\u{b}", "\u{85}"]

    private static func text(_ random: inout SplitMix64) -> String {
        func pick(_ words: [String]) -> String { words[Int(random.next() % UInt64(words.count))] }
        var text = random.next() % 20 == 0 ? "\u{feff}" : ""
        for _ in 0...(random.next() % 2) {
            text += pick(verbs)
            for _ in 0..<(random.next() % 5) {
                text += pick([" ", " ", "\t", "  "])
                text += random.next() % 3 == 0 ? pick(values) : pick(keys) + "=" + pick(values)
            }
            if random.next() % 3 == 0 { text += " -> " + pick(values) }
            if random.next() % 4 == 0 {
                text += pick([" #", "#", " # "]) + pick(values) + pick(["", " ", "\t", "#"])
            }
            text += pick(ends)
        }
        return text
    }

    @Test("is refused, or written as a text that is read as the same script and written as the same text")
    func roundTrip() throws {
        var random = SplitMix64(seed: 20_261_127)
        var taken = 0
        for _ in 0..<60_000 {
            let text = Self.text(&random)
            guard let script = try? DeviceScript(parsing: text) else { continue }
            taken += 1
            let written = script.description
            let again = try DeviceScript(parsing: written)
            #expect(again == script, "\(text.debugDescription) is written \(written.debugDescription)")
            #expect(again.description == written)
        }
        #expect(taken > 3000, "\(taken)")
    }

    @Test(
        "of generated steps, each argument with each request, is read as it was",
        arguments: ScriptRequestKind.all)
    func arguments(kind: ScriptRequestKind) throws {
        func a(_ number: UInt64) -> IOVirtualAddress { IOVirtualAddress(rawValue: number) }
        let arguments: [ScriptRequest.Argument] = [
            .nothing, .pointer(.number(HostAddress(rawValue: 0))), .pointer(.memory("ram", offset: .max)),
            .number(1), .bytes([]),
            .bytes([0, 255]),
            .state(index: 3, number: 0), .state(index: 3, number: .max), .file(index: 2, .none),
            .file(index: 2, .eventFD("kick")),
            .descriptor(.closed), .descriptor(.nullDevice), .configurationRead(offset: .max, byteCount: 0),
            .configurationWrite(offset: 0, bytes: []),
            .addresses(
                ScriptVringAddresses(
                    index: 1, flags: 1, descriptors: a(0), avail: a(1), used: a(2), log: a(3))),
        ]
        for argument in arguments {
            let script = DeviceScript(steps: [
                .request(ScriptRequest(number: kind.number, argument), file: "second", by: .child)
            ])
            #expect(try DeviceScript(parsing: script.description) == script, "\(script)")
        }
    }

    @Test("has a line for each line's end, of whichever system, and no byte order mark")
    func lineEnds() throws {
        let script = try DeviceScript(parsing: "open -> ok\nSET_OWNER -> ok\nGET_STATUS -> 0x0  # nothing\n")
        for end in ["\r\n", "\r"] {
            let text = script.description.replacing("\n", with: end)
            #expect(try DeviceScript(parsing: text) == script)
            #expect(try DeviceScript(parsing: "\u{feff}" + text) == script)
        }
        #expect(try DeviceScript(parsing: String(script.description.dropLast())) == script)
    }

    @Test("has a comment in one line, whatever a program puts into it")
    func comment() throws {
        let line = DeviceScript.Line(nil, comment: "emu run --record 'a\nclose\r\nopen'")
        let script = try DeviceScript(parsing: DeviceScript(lines: [line]).description)
        #expect(script.steps == [] && script.lines.count == 1)
    }

    @Test(
        "is refused with what may stand there, not with the text itself, however long it is",
        arguments: [
            ("-> ok", "a call is expected before '->'"),
            ("SET_STATUS 0x100", "SET_STATUS takes a number of 8 bits, no 256"),
            ("SET_FORK_FROM_OWNER 256", "8 bits"), ("IOCTL 0x100000000", "32 bits"),
            ("GET_CONFIG_SIZE -> 1.2", "is no answer"), ("GET_IOVA_RANGE -> 1...2", "is no answer"),
            (String(repeating: "a", count: 1_000_000), "'\(String(repeating: "a", count: 40))…' is no call"),
            ("open \u{1b}[2Jx", "'\u{fffd}[2Jx' is no name"),
            ("open a" + String(repeating: "\u{301}", count: 100_000), "…' is no name"),
            ("settle " + String(repeating: "=", count: 100_000), "says nothing"),
        ])
    func refused(line: String, reason: String) {
        let error = #expect(throws: ScriptTextError.self) { try DeviceScript(parsing: "open\n" + line) }
        #expect(error?.line == 2)
        #expect(error?.reason.contains(reason) == true, "\(error?.reason.prefix(300) ?? "")")
        #expect((error?.reason.utf8.count ?? 0) < 400)
    }
}
