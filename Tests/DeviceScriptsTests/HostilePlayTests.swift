import SystemPackage
import Testing
import VhostVDPA

@testable import DeviceScripts

/// Whatever a script has: each call has an answer, or the script is refused. Nothing traps.
@Suite("A hostile script that is played", .timeLimit(.minutes(15)))
struct HostilePlayTests {
    private func answers(_ text: String, _ specification: String = "sim,profile=vdpasim-net") throws
        -> [ScriptAnswer?]
    {
        try ScriptPlayer.play(DeviceScript(parsing: text), on: PlayerTests.target(specification))
    }

    @Test(
        "has the whole answer of a request that was given less, or another one's struct",
        arguments: [
            ("GET_VRING_BASE bytes=", ScriptAnswer.number(0)), ("GET_VRING_BASE bytes=0000", .number(0)),
            ("GET_VRING_GROUP bytes=02", .number(1)),
            ("GET_VRING_GROUP bytes=02000000ffffffffff", .number(1)),
            ("GET_IOVA_RANGE bytes=00", .range(first: 0, last: .max)),
            ("GET_IOVA_RANGE fd=none", .range(first: 0, last: .max)),
            ("GET_STATUS bytes=ffffffffffffffff", .number(0)), ("GET_VQS_COUNT bytes=", .number(3)),
            ("GET_CONFIG bytes=0000000008000000", .bytes([0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 0])),
            ("GET_CONFIG index=0 num=8", .bytes([0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 0])),
        ])
    func whole(line: String, answer: ScriptAnswer) throws {
        let seen = try answers("open\nSET_OWNER\n\(line)\n").last ?? nil
        if case .bytes(let bytes) = seen, case .bytes(let wanted) = answer {
            #expect(bytes.count == wanted.count)
        } else {
            #expect(seen == answer)
        }
    }

    @Test("has room for the configuration that it asks for, by whichever words")
    func room() throws {
        let device = LongConfiguration()
        let target = ScriptTarget(open: { device })
        let script = try DeviceScript(
            parsing: "open\nGET_CONFIG bytes=0000000000100000\nGET_CONFIG offset=0 length=4096\n")
        let answers = try ScriptPlayer.play(script, on: target)
        #expect(answers[1] == .bytes([UInt8](repeating: 0xab, count: 4096)) && answers[2] == answers[1])
    }

    @Test(
        "is refused for memory that no process has, before its first step",
        arguments: ["18446744073709547520", "70368744181760", "16777215T", "64T shared\nmemory b 4K"])
    func memory(size: String) throws {
        var played = 0
        let script = try DeviceScript(parsing: "open\nmemory a \(size) shared\n")
        let error = #expect(throws: ScriptProblem.self) {
            try ScriptPlayer.play(script, on: PlayerTests.target()) { _, _ in played += 1 }
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("more memory than an address space has"))
        #expect(played == 0)
    }

    @Test("finds no room where as many are played as there are, and one again when one of them has ended")
    func rooms() {
        let rooms = ScriptRooms()
        var taken = (0..<ScriptRoom.count).compactMap { _ in ScriptRoom(of: rooms) }
        #expect(taken.count == ScriptRoom.count && Set(taken.map(\.next)).count == ScriptRoom.count)
        #expect(ScriptRoom(of: rooms) == nil)
        let next = taken.remove(at: 7).next
        #expect(ScriptRoom(of: rooms)?.next == next)
    }
}

/// A device with 4096 bytes of configuration space, as vp_vdpa has.
private final class LongConfiguration: CharacterDevice {
    func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        guard request == 0x8008_af73, let header = unsafe UnsafeMutableRawPointer(bitPattern: argument) else {
            throw .badAddress
        }
        let count = unsafe header.load(fromByteOffset: 4, as: UInt32.self)
        unsafe (header + 8).initializeMemory(as: UInt8.self, repeating: 0xab, count: Int(count))
        return 0
    }
    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int { throw .invalidArgument }
    func map(length: Int, protection: Int32, flags: Int32, offset: Int) throws(Errno)
        -> UnsafeMutableRawPointer
    {
        throw .invalidArgument
    }
    func close() {}
}
