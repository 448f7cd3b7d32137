import CIOUring
import CLinux
import Foundation
import Glibc
import SystemPackage
import Testing

@testable import VirtioNet

@Suite("A capture file") struct CaptureFileTests {
    private let place = CapturePath()

    private static func frame(_ byteCount: Int, first: UInt8 = 0) -> [UInt8] {
        DatagramPort.frame(byteCount, number: Int(first))
    }

    private func record(_ frame: [UInt8], _ direction: CaptureWriter.Direction, _ writer: inout CaptureWriter)
    {
        unsafe frame.withUnsafeBytes { bytes in
            unsafe writer.record(direction, bytes, byteCount: bytes.count)
        }
    }

    @Test(
        "has the frames without their virtio headers, in order, with direction, interface and a time of today"
    )
    func frames() throws {
        let before = UInt64(Date().timeIntervalSince1970) * 1_000_000_000
        do {
            let file = try CaptureFile(path: place.path, interfaces: ["wire0", "wire1"])
            var first = file.writer(0)
            var second = file.writer(1)
            first.beginBatch()
            record(Self.frame(60), .outbound, &first)
            record(Self.frame(61, first: 7), .inbound, &first)
            second.beginBatch()
            record(Self.frame(14), .outbound, &second)
            first.flush()
        }
        let capture = try Capture(place.path)
        #expect(capture.interfaces == 2)
        #expect(capture.packets.map(\.interface) == [0, 0, 1])
        #expect(capture.packets.map(\.direction) == [2, 1, 2])
        let frames = [Self.frame(60), Self.frame(61, first: 7), Self.frame(14)]
        #expect(capture.packets.map(\.bytes) == frames.map { Array($0.dropFirst(NetworkHeader.byteCount)) })
        #expect(capture.packets.map(\.original) == [60, 61, 14])
        #expect(capture.packets[0].time == capture.packets[1].time)
        let after = UInt64(Date().timeIntervalSince1970 + 1) * 1_000_000_000
        #expect(capture.packets.allSatisfy { (before...after).contains($0.time) })
    }

    @Test(
        "has a frame whole wherever its segments are cut, in the header as well",
        arguments: [[72], [12, 60], [5, 67], [5, 7, 60], [1, 1, 1, 0, 30, 39], [13, 1, 58]])
    func segments(lengths: [Int]) throws {
        var frame = Self.frame(60)
        try unsafe frame.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            var offset = 0
            var vectors: [iovec] = unsafe []
            for length in lengths {
                unsafe vectors.append(iovec(iov_base: base + offset, iov_len: length))
                offset += length
            }
            var writer = try CaptureFile(path: place.path, interfaces: ["wire"]).writer(0)
            unsafe vectors.withUnsafeBufferPointer { vectors in
                guard let start = vectors.baseAddress else { return }
                unsafe writer.record(.inbound, start, count: vectors.count, byteCount: 72, held: 72)
            }
        }
        #expect(try Capture(place.path).packets.map(\.bytes) == [Array(frame.dropFirst(12))])
    }

    @Test("says how long a frame was of which it has only the beginning")
    func cut() throws {
        let frame = Self.frame(100)
        do {
            var writer = try CaptureFile(path: place.path, interfaces: ["wire"]).writer(0)
            unsafe frame.withUnsafeBytes { unsafe writer.record(.inbound, $0, byteCount: 5000) }
        }
        let packet = try #require(try Capture(place.path).packets.first)
        #expect(packet.bytes == Array(frame.dropFirst(12)) && packet.original == 4988)
    }

    @Test("takes packets by the quarter of a megabyte, and at any moment holds whole ones")
    func batches() throws {
        let file = try CaptureFile(path: place.path, interfaces: ["wire"])
        let prologue = place.byteCount
        var writer = file.writer(0)
        let longest = Self.frame(NetworkHeader.longestFrameByteCount - NetworkHeader.byteCount)
        for _ in 0..<3 { record(longest, .outbound, &writer) }
        #expect(place.byteCount == prologue && file.outcome.recorded == 0)
        record(longest, .outbound, &writer)
        #expect(file.outcome.recorded == 3)
        #expect(try Capture(place.path).packets.count == 3)
        writer.flush()
        #expect(file.outcome == CaptureFile.Outcome(recorded: 4, unrecorded: 0, failure: nil))
        let size = place.byteCount
        writer.flush()
        #expect(place.byteCount == size)
    }

    @Test("of that name is overwritten, as tcpdump does it")
    func overwritten() throws {
        try Data(repeating: 0x41, count: 1 << 16).write(to: URL(filePath: place.path))
        _ = try CaptureFile(path: place.path, interfaces: ["wire"])
        #expect(try Capture(place.path).packets.isEmpty)
    }

    @Test("that another capture writes to is refused, and keeps what it has")
    func locked() throws {
        let file = try CaptureFile(path: place.path, interfaces: ["wire"])
        var writer = file.writer(0)
        record(Self.frame(60), .outbound, &writer)
        writer.flush()
        #expect {
            _ = try CaptureFile(path: place.path, interfaces: ["guest"])
        } throws: {
            ($0 as? PortError)?.code == .capture && "\($0)".contains("another capture writes to this file")
        }
        #expect(try Capture(place.path).packets.count == 1)
    }

    @Test(
        "that cannot be written to is refused, with the reason",
        arguments: [
            ("/dev/full", Errno.noSpace), ("/nowhere/a.pcapng", .noSuchFileOrDirectory),
            ("/tmp", .isDirectory),
        ])
    func refused(path: String, errno: Errno) {
        #expect {
            _ = try CaptureFile(path: path, interfaces: ["wire"])
        } throws: {
            ($0 as? PortError)?.errno == errno && "\($0)".contains("'\(path)'")
        }
    }

    @Test("that is full in the middle of a packet ends with the last whole one; the others are counted")
    func full() throws {
        // Memory that may not grow any more takes whole pages only: the write breaks off inside a packet.
        let memory = unsafe clinux_memfd_create("full", clinux_mfd_allow_sealing)
        try #require(memory >= 0)
        defer { close(memory) }
        let path = "/proc/self/fd/\(memory)"
        let file = try CaptureFile(path: path, interfaces: ["wire"])
        try #require(ftruncate(memory, 8192) == 0)
        try #require(clinux_add_seals(memory, clinux_seal_grow) == 0)
        var writer = file.writer(0)
        for _ in 0..<100 { record(Self.frame(1000), .outbound, &writer) }
        writer.flush()
        let outcome = file.outcome
        #expect(outcome.failure == Errno.notPermitted)
        #expect(outcome.recorded == 7 && outcome.unrecorded == 93)
        #expect(try Capture(path).packets.count == 7)
        record(Self.frame(1000), .outbound, &writer)
        writer.flush()
        #expect(file.outcome.unrecorded == 94)
        #expect(try Capture(path).packets.count == 7)
    }
}
