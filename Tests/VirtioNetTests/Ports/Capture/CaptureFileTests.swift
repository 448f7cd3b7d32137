import CIOUring
import CLinux
import Foundation
import Glibc
import SystemPackage
import TestSupport
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
            let file = try CaptureFile.begun(path: place.path, interfaces: ["wire0", "wire1"])
            var first = file.writer(0)
            var second = file.writer(1)
            first.beginBatch()
            record(Self.frame(60), .outbound, &first)
            record(Self.frame(61, first: 7), .inbound, &first)
            second.beginBatch()
            record(Self.frame(14), .outbound, &second)
            first.flush()
            #expect(file.records(2))
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
            var writer = try CaptureFile.begun(path: place.path).writer(0)
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
            var writer = try CaptureFile.begun(path: place.path).writer(0)
            unsafe frame.withUnsafeBytes { unsafe writer.record(.inbound, $0, byteCount: 5000) }
        }
        let packet = try #require(try Capture(place.path).packets.first)
        #expect(packet.bytes == Array(frame.dropFirst(12)) && packet.original == 4988)
    }

    @Test("takes packets by the quarter of a megabyte, and at any moment holds whole ones")
    func batches() throws {
        let file = try CaptureFile.begun(path: place.path)
        let prologue = place.byteCount
        var writer = file.writer(0)
        let longest = Self.frame(NetworkHeader.longestFrameByteCount - NetworkHeader.byteCount)
        for _ in 0..<3 { record(longest, .outbound, &writer) }
        #expect(place.byteCount == prologue && file.outcome.recorded == 0)
        record(longest, .outbound, &writer)
        #expect(file.records(3))
        #expect(try Capture(place.path).packets.count == 3)
        writer.flush()
        #expect(file.records(4))
        #expect(file.outcome == CaptureFile.Outcome(recorded: 4, unrecorded: 0, failure: nil))
        let size = place.byteCount
        writer.flush()
        #expect(place.byteCount == size)
    }

    @Test("of that name is overwritten, as tcpdump does it")
    func overwritten() throws {
        try Data(repeating: 0x41, count: 1 << 16).write(to: URL(filePath: place.path))
        _ = try CaptureFile.begun(path: place.path)
        #expect(try Capture(place.path).packets.isEmpty)
    }

    @Test("stays as it was until the capture begins, with what is recorded before")
    func unbegun() throws {
        let earlier = Data(repeating: 0x41, count: 1000)
        try earlier.write(to: URL(filePath: place.path))
        do {
            let file = try CaptureFile(path: place.path, interfaces: ["wire"])
            var writer = file.writer(0)
            record(Self.frame(60), .outbound, &writer)
            writer.flush()
            #expect(file.overwrites)
            #expect(try Data(contentsOf: URL(filePath: place.path)) == earlier)
            file.withdraw()
        }
        #expect(try Data(contentsOf: URL(filePath: place.path)) == earlier)
        let file = try CaptureFile(path: place.path, interfaces: ["wire"])
        var writer = file.writer(0)
        record(Self.frame(60), .outbound, &writer)
        writer.flush()
        try file.begin()
        #expect(file.records(1))
        #expect(try Capture(place.path).packets.count == 1)
    }

    @Test(
        "is free for another capture once this one has ended, whoever was forked with its descriptor",
        arguments: [false, true])
    func freeAtTheEnd(hasBegun: Bool) throws {
        // There already, so that a capture that is withdrawn leaves it.
        try Data().write(to: URL(filePath: place.path))
        var children: [FileDescriptor] = []
        defer { for child in children { try? child.close() } }
        do {
            let file = try CaptureFile(path: place.path, interfaces: ["wire"])
            // A descriptor of the same open file, as a child has it between fork and exec.
            let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            for name in descriptors
            where
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"))
                == place.path
            {
                children.append(try FileDescriptor(rawValue: #require(CInt(name))).duplicate())
            }
            #expect(!children.isEmpty)
            #expect(throws: PortError.self) { try CaptureFile(path: place.path, interfaces: ["wire"]) }
            if hasBegun {
                try file.begin()
                file.finish()
            } else {
                file.withdraw()
            }
        }
        _ = try CaptureFile.begun(path: place.path)
    }

    @Test("that was not there is not there after a capture that never began")
    func withdrawn() throws {
        let file = try CaptureFile(path: place.path, interfaces: ["wire"])
        #expect(place.byteCount == 0 && !file.overwrites)
        file.withdraw()
        #expect(place.byteCount == -1)
    }

    @Test(
        "of a kind that may wait for somebody or set something off is refused by name, and not opened",
        arguments: [
            (0o020600, 0x1ff_0000, "a character device"), (0o020666, 0x109, "a character device"),
            (0o060660, 0x800, "a block device"), (0o140755, 0, "a socket"), (0o040755, 0, "a directory"),
        ] as [(UInt32, UInt, String)])
    func kinds(mode: UInt32, device: UInt, words: String) {
        var information = stat()
        information.st_mode = mode
        information.st_rdev = device
        #expect {
            _ = try CaptureTarget.kind(of: information, "x")
        } throws: {
            ($0 as? PortError)?.code == .capture && "\($0)".contains("capture file 'x': is \(words)")
        }
    }

    @Test("may be a regular file, a pipe, or a device that takes everything")
    func takenKinds() throws {
        var information = stat()
        for (mode, device, kind) in [
            (0o100644, 0, .regular), (0o010600, 0, .pipe), (0o020666, 0x103, .sink), (0o020666, 0x107, .sink),
        ] as [(UInt32, UInt, CaptureTarget.Kind)] {
            information.st_mode = mode
            information.st_rdev = device
            #expect(try CaptureTarget.kind(of: information, "x") == kind)
        }
        _ = try CaptureFile.begun(path: "/dev/null")
    }

    @Test("that is a pipe is refused while nobody reads it, without a wait for somebody")
    func unread() throws {
        try #require(unsafe mkfifo(place.path, 0o600) == 0)
        #expect {
            _ = try CaptureFile(path: place.path, interfaces: ["wire"])
        } throws: {
            "\($0)".contains("nobody reads this pipe")
        }
    }

    @Test("that is a pipe gets every packet, short and long, when its reader is slow and comes in time")
    func slow() throws {
        let reader = try Reader()
        let file = try CaptureFile.begun(path: reader.path)
        var writer = file.writer(0)
        let sizes = (0..<200).map { $0.isMultiple(of: 10) ? 9000 : 60 + $0 }
        for size in sizes { record(Self.frame(size), .outbound, &writer) }
        writer.flush()
        let isTaken = eventually {
            reader.read()
            return file.outcome.recorded == 200
        }
        #expect(isTaken)
        file.finish()
        #expect(file.outcome == CaptureFile.Outcome(recorded: 200))
        reader.read()
        #expect(try Capture(reader.bytes).packets.map(\.original) == sizes)
    }

    @Test("that another capture writes to is refused, and keeps what it has")
    func locked() throws {
        let file = try CaptureFile.begun(path: place.path)
        var writer = file.writer(0)
        record(Self.frame(60), .outbound, &writer)
        writer.flush()
        #expect(file.records(1))
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
            _ = try CaptureFile.begun(path: path)
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
        let file = try CaptureFile.begun(path: path)
        try #require(ftruncate(memory, 8192) == 0)
        try #require(clinux_add_seals(memory, clinux_seal_grow) == 0)
        var writer = file.writer(0)
        for _ in 0..<100 { record(Self.frame(1000), .outbound, &writer) }
        writer.flush()
        #expect(eventually { file.outcome.failure != nil })
        let outcome = file.outcome
        #expect(outcome.failure == .refused(.notPermitted))
        #expect(outcome.recorded == 7 && outcome.unrecorded == 93)
        #expect(try Capture(path).packets.count == 7)
        record(Self.frame(1000), .outbound, &writer)
        writer.flush()
        #expect(file.outcome.unrecorded == 94)
        #expect(try Capture(path).packets.count == 7)
    }

    /// What others do to a file while it is recorded to.
    struct Meddling: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let failure: CaptureFile.Failure
        let act: @Sendable (String) -> Void
    }

    @Test(
        "that is not what was written to it in the end, or not under its name, has no frames",
        arguments: [
            Meddling(testDescription: "cut", failure: .changed) { _ = unsafe truncate($0, 10) },
            Meddling(testDescription: "emptied", failure: .changed) { _ = unsafe truncate($0, 0) },
            Meddling(testDescription: "longer", failure: .changed) { _ = unsafe truncate($0, 1 << 20) },
            Meddling(testDescription: "removed", failure: .removed) { _ = unsafe unlink($0) },
            Meddling(testDescription: "moved", failure: .moved) { _ = unsafe rename($0, $0 + ".1") },
        ], [false, true])
    func meddled(_ meddling: Meddling, isWrittenToAfterwards: Bool) throws {
        defer { _ = unsafe unlink(place.path + ".1") }
        let file = try CaptureFile.begun(path: place.path)
        var writer = file.writer(0)
        record(Self.frame(60), .outbound, &writer)
        writer.flush()
        #expect(file.records(1))
        meddling.act(place.path)
        if isWrittenToAfterwards {
            record(Self.frame(60), .outbound, &writer)
            writer.flush()
            #expect(file.records(2))
        }
        file.finish()
        let frames: UInt64 = isWrittenToAfterwards ? 2 : 1
        #expect(file.outcome == CaptureFile.Outcome(unrecorded: frames, failure: meddling.failure))
    }

    @Test("of /proc, which takes bytes and keeps none, has no frames")
    func keepsNothing() throws {
        let file = try CaptureFile.begun(path: "/proc/thread-self/comm")
        var writer = file.writer(0)
        record(Self.frame(60), .outbound, &writer)
        writer.flush()
        file.finish()
        #expect(file.outcome == CaptureFile.Outcome(unrecorded: 1, failure: .changed))
    }

    @Test("that the kernel has wholly and that takes long to close lacks nothing")
    func slowToClose() {
        // The thread of the file is played here, and does not come back from close(2).
        let queue = CaptureQueue(writers: 1)
        queue.begin(.done)
        queue.takeBack(CaptureQueue.Batch(block: queue.takeBlock(), byteCount: 100, packets: 3))
        let batch = queue.next()
        #expect(batch?.packets == 3)
        if let batch { queue.finish(batch, recorded: 3, failure: nil) }
        queue.finish()
        #expect(queue.outcome == CaptureFile.Outcome(recorded: 3))
    }
}
