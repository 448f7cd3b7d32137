import Foundation
import Glibc
import TestSupport
import Testing

@testable import VirtioNet

/// A pcapng file as its bytes say it, read without anything of the code that writes it.
struct Capture {
    struct Packet: Equatable {
        let interface: Int
        /// 1 inbound, 2 outbound.
        let direction: UInt32
        let time: UInt64
        let original: Int
        let bytes: [UInt8]
    }

    private(set) var interfaces = 0
    private(set) var packets: [Packet] = []

    /// Reads a file of whole blocks; anything else fails the test.
    init(_ path: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try self.init([UInt8](Data(contentsOf: URL(filePath: path))), sourceLocation: sourceLocation)
    }

    init(_ data: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws {
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(data[offset + $1]) << (8 * $1) }
        }
        var offset = 0
        while offset < data.count {
            try #require(offset + 12 <= data.count, "half a block", sourceLocation: sourceLocation)
            let length = Int(word(offset + 4))
            try #require(
                length >= 12 && length % 4 == 0 && offset + length <= data.count, "half a block",
                sourceLocation: sourceLocation)
            #expect(word(offset + length - 4) == length, sourceLocation: sourceLocation)
            switch word(offset) {
            case 1: interfaces += 1
            case 6: packets.append(Self.packet(data, offset, word))
            default: #expect(word(offset) == 0x0a0d_0d0a && offset == 0, sourceLocation: sourceLocation)
            }
            offset += length
        }
    }

    /// The packets of one direction, in order, by their bytes.
    func bytes(_ direction: CaptureWriter.Direction) -> [[UInt8]] {
        packets.filter { $0.direction == direction.rawValue }.map(\.bytes)
    }

    /// How many packets there are of one direction.
    func count(_ direction: CaptureWriter.Direction) -> UInt64 {
        UInt64(packets.count { $0.direction == direction.rawValue })
    }

    private static func packet(_ data: [UInt8], _ offset: Int, _ word: (Int) -> UInt32) -> Packet {
        let captured = Int(word(offset + 20))
        return Packet(
            interface: Int(word(offset + 8)), direction: word(offset + 28 + (captured + 3) / 4 * 4 + 4),
            time: UInt64(word(offset + 12)) << 32 | UInt64(word(offset + 16)),
            original: Int(word(offset + 24)),
            bytes: Array(data[offset + 28..<offset + 28 + captured]))
    }
}

/// A file of its own for a test, gone with the value.
final class CapturePath {
    let path = FileManager.default.temporaryDirectory.appending(path: "emu-\(UUID()).pcapng").path()

    /// How many bytes are in the file.
    var byteCount: Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? -1
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The end of a pipe that reads what is captured, until it goes.
final class Reader {
    private let ends: [Int32]
    private var isOpen = true
    /// What it has read.
    private(set) var bytes: [UInt8] = []

    init() throws {
        // Whoever writes is to be told by its errno.
        _ = signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        try #require(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        self.ends = ends
    }

    /// What to write to.
    var path: String { "/proc/self/fd/\(ends[1])" }

    /// Reads what is in the pipe, if anything is.
    func read() {
        let room = 1 << 21
        var buffer = [UInt8](repeating: 0, count: room)
        let count = unsafe Glibc.read(ends[0], &buffer, room)
        if count > 0 { bytes += buffer[..<count] }
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        Glibc.close(ends[0])
    }

    deinit {
        close()
        Glibc.close(ends[1])
    }
}

extension CaptureFile {
    /// A capture that has begun, as a run's has when it has started.
    static func begun(path: String, interfaces: [String] = ["wire"]) throws -> CaptureFile {
        let file = try CaptureFile(path: path, interfaces: interfaces)
        try file.begin()
        return file
    }

    /// Waits until as many packets are in the file.
    func records(_ count: UInt64) -> Bool { eventually { self.outcome.recorded == count } }
}
