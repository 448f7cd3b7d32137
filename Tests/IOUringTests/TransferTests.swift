import Glibc
import SystemPackage
import Testing

@testable import IOUring

@Suite struct TransferTests {
    static let data = UserData(kind: 3)
    static let pattern = (0..<100).map { UInt8($0) }

    @Test("readv scatters in order and writev gathers in order")
    func vectored() throws {
        var ring = try makeRing()
        let channel = try Channel()
        let source = Memory(TransferTests.pattern)
        let sink = Memory(count: 100)
        // The vectors are the kernel's only until the submit returns.
        try unsafe [source.vector(0..<1), source.vector(1..<41), source.vector(41..<100)]
            .withUnsafeBufferPointer {
                guard let base = $0.baseAddress else { return }
                expectQueued(
                    unsafe ring.writev(
                        channel.writer, from: base, count: 3, userData: TransferTests.data))
                try ring.submit()
            }
        #expect(try ring.collect(1).map(\.result) == [100])
        try unsafe [sink.vector(0..<70), sink.vector(70..<100)].withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            expectQueued(
                unsafe ring.readv(channel.reader, into: base, count: 2, userData: TransferTests.data))
            try ring.submit()
        }
        #expect(try ring.collect(1).map(\.result) == [100])
        #expect(sink.contents == TransferTests.pattern)
    }

    @Test("A read and a write at an offset leave the rest of the file alone")
    func offset() throws {
        var ring = try makeRing()
        let file = try temporaryFile()
        defer { try? file.close() }
        let source = Memory(TransferTests.pattern)
        let sink = Memory(count: 10)
        expectQueued(
            unsafe ring.write(
                file, from: .init(source.bytes), offset: 1000, userData: TransferTests.data))
        #expect(try ring.collect(1).map(\.result) == [100])
        expectQueued(
            unsafe ring.read(file, into: sink.bytes, offset: 1050, userData: TransferTests.data))
        #expect(try ring.collect(1).map(\.result) == [10])
        #expect(sink.contents == Array(TransferTests.pattern[50..<60]))
    }

    @Test("A parked read is cancelled with its memory untouched")
    func cancelParked() throws {
        var ring = try makeRing()
        let channel = try Channel()
        let sink = Memory(count: 100)
        expectQueued(unsafe ring.read(channel.reader, into: sink.bytes, userData: TransferTests.data))
        try ring.submit()
        expectQueued(ring.cancel(TransferTests.data))
        let seen = try ring.collect(2)
        #expect(seen.first { $0.userData == TransferTests.data }?.error == .canceled)
        _ = try channel.writer.writeAll(TransferTests.pattern)
        #expect(sink.contents.allSatisfy { $0 == 0 })
    }

    @Test("A request that fails does not hold up those behind it")
    func submitAll() throws {
        var ring = try makeRing()
        expectQueued(
            ring.pollAdd(
                FileDescriptor(rawValue: -1), .input, multishot: false, userData: TransferTests.data))
        expectQueued(ring.nop(userData: UserData(kind: 4)))
        #expect(try ring.submit() == 2)
        let seen = try ring.collect(2)
        #expect(seen.first { $0.userData.kind == 3 }?.error == .badFileDescriptor)
        #expect(seen.first { $0.userData.kind == 4 }?.result == 0)
    }

    @Test("Pinned buffers are registered once, and given back")
    func buffers() throws {
        var ring = try makeRing()
        let memory = Memory(count: 4096)
        try unsafe [memory.vector(0..<4096)].withUnsafeBufferPointer { buffers in
            try unsafe ring.registerBuffers(buffers)
            #expect(throws: IOUringError.self) { try unsafe ring.registerBuffers(buffers) }
            try ring.unregisterBuffers()
            try unsafe ring.registerBuffers(buffers)
        }
    }

    @Test("A transfer that does not wait completes at once, with EAGAIN where there is nothing or no room")
    func noWait() throws {
        var ring = try makeRing()
        let channel = try Channel()
        let reader = channel.reader
        let writer = channel.writer
        let memory = Memory(count: 1 << 20)
        let data = TransferTests.data
        expectQueued(unsafe ring.read(reader, into: memory.bytes, waits: false, userData: data))
        #expect(try ring.collect(1).map(\.error) == [.resourceTemporarilyUnavailable])
        // A pipe takes some of a megabyte, and then nothing.
        expectQueued(unsafe ring.write(writer, from: .init(memory.bytes), waits: false, userData: data))
        let taken = try ring.collect(1).map(\.result)
        #expect(taken.allSatisfy { $0 > 0 && $0 < 1 << 20 })
        expectQueued(unsafe ring.write(writer, from: .init(memory.bytes), waits: false, userData: data))
        #expect(try ring.collect(1).map(\.error) == [.resourceTemporarilyUnavailable])
        expectQueued(unsafe ring.read(reader, into: memory.bytes, waits: false, userData: data))
        #expect(try ring.collect(1).map(\.result) == taken)
    }
}
