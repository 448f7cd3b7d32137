import Foundation
import Glibc
import GuestMemory
import IOUring
import SeededRandom
import SystemPackage
import TestSupport
import Testing

@testable import SimulatedVDPA
import VhostVDPAConformance

/// Each in a process of its own, since VmPin is the process's and other tests pin as well.
@Suite("Pinning with registered buffers")
struct RegisteredBufferPinnerTests {
    @Test("VmPin: exactly the pages mapped, in runs of any length; after unmap and close as before")
    func exactly() async {
        await #expect(processExitsWith: .success) {
            for specification in [
                "sim,use-va=off", "sim,parent=platform", "sim,parent=vendor,fragment=4K",
                "sim,parent=dma-map,use-va=off,fragment=8K",
            ] {
                let pinner = RegisteredBufferPinner()
                let client = try Client.owned(specification, pinner: pinner)
                let before = try PinnedMemory.pages()
                let memory = Memory(pages: 64)
                let other = Memory(pages: 9)
                #expect(client.update(0x100000, memory) == nil)
                #expect(client.update(0x900000, other) == nil)
                #expect(client.update(0xa00000, memory) == nil, "pinned twice counts twice")
                #expect(try PinnedMemory.pages() - before == 137, "\(specification)")
                #expect(pinner.pinnedPages == 137)
                #expect(client.setStatus(0) == nil)
                #expect(try PinnedMemory.pages() - before == 137, "a reset unpins nothing")
                #expect(client.send(.invalidate, iova: 0x900000, size: UInt64(other.byteCount)) == nil)
                #expect(try PinnedMemory.pages() - before == 128)
                client.file.close()
                #expect(try PinnedMemory.pages() == before, "\(specification)")
            }
        }
    }

    @Test("VmPin follows entry by entry, in any order, where runs are unmapped one at a time")
    func entryByEntry() async {
        await #expect(processExitsWith: .success) {
            let client = try Client.owned(
                "sim,parent=platform,fragment=4K", pinner: RegisteredBufferPinner())
            let before = try PinnedMemory.pages()
            let memory = Memory(pages: 1024)
            #expect(client.update(0, memory) == nil)
            #expect(client.vhostEntries.count == 1024)
            var generator = SplitMix64(seed: 7)
            var left = Array(0..<UInt64(1024)).shuffled(using: &generator)
            while let page = left.popLast() {
                #expect(client.send(.invalidate, iova: page * 4096, size: 4096) == nil)
                let pinned = try PinnedMemory.pages() - before
                try #require(pinned == left.count)
            }
        }
    }

    @Test("More buffers than a ring has slots: another ring, which goes when it is empty")
    func manyBuffers() async {
        await #expect(processExitsWith: .success) {
            var buffers = PinnedBuffers()
            try buffers.prepare()
            let before = try PinnedMemory.pages()
            let rings = try PinnedMemory.ringCount()
            let memory = Memory(pages: 1)
            let page = UInt64(memory.address)..<UInt64(memory.address) + UInt64(memory.byteCount)
            for _ in 0..<17_000 { try buffers.hold(page, logger: .quiet) }
            #expect(try PinnedMemory.pages() - before == 17_000)
            #expect(try PinnedMemory.ringCount() == rings + 1)
            for _ in 0..<17_000 { buffers.release(page, page: UInt64(Memory.pageSize), logger: .quiet) }
            #expect(try PinnedMemory.pages() == before)
            #expect(try PinnedMemory.ringCount() == rings)
        }
    }

    @Test("More than one buffer holds, 64 MiB and two pages, is pinned whole, and goes in parts")
    func longerThanABuffer() async {
        await #expect(processExitsWith: .success) {
            let pinner = RegisteredBufferPinner()
            let before = try PinnedMemory.pages()
            let pages = Int(PinnedBuffers.pieceByteLimit) / Memory.pageSize + 2
            let memory = Memory(pages: pages)
            let start = HostAddress(rawValue: UInt64(memory.address))
            try pinner.pin(start: start, pages: pages, access: .readWrite, limit: .max, logger: .quiet)
            #expect(try PinnedMemory.pages() - before == pages)
            // A part that lies in both buffers.
            let offset = UInt64((pages - 4) * Memory.pageSize)
            pinner.unpin(start: HostAddress(rawValue: start.rawValue + offset), pages: 3, logger: .quiet)
            #expect(try PinnedMemory.pages() - before == pages - 3)
            pinner.unpin(start: start, pages: pages - 4, logger: .quiet)
            #expect(try PinnedMemory.pages() - before == 1)
            pinner.unpin(
                start: HostAddress(rawValue: start.rawValue + UInt64((pages - 1) * Memory.pageSize)),
                pages: 1,
                logger: .quiet)
            #expect(try PinnedMemory.pages() == before)
        }
    }

    @Test("The memlock rule comes first, for root too; what fits then is pinned")
    func memlock() async {
        await #expect(processExitsWith: .success) {
            let client = try Client.owned("sim,use-va=off,memlock=32K", pinner: RegisteredBufferPinner())
            let before = try PinnedMemory.pages()
            let memory = Memory(pages: 9)
            #expect(client.update(0x100000, memory) == .badAddress)
            #expect(client.file.mapFailures.last?.cause == .noMemory)
            #expect(try PinnedMemory.pages() == before)
            #expect(client.send(.update, iova: 0, size: 8 * 4096, user: memory.address) == nil)
            #expect(try PinnedMemory.pages() - before == 8)
            #expect(client.send(.update, iova: 8 * 4096, size: 4096, user: memory.address) == .badAddress)
            #expect(client.send(.invalidate) == nil)
            #expect(try PinnedMemory.pages() == before)
        }
    }

    @Test("RLIMIT_MEMLOCK is the limit where none is given")
    func processLimit() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 8 * 4096, rlim_max: 8 * 4096)
            #expect(unsafe setrlimit(__rlimit_resource_t(8), &limit) == 0)
            let pinner = RegisteredBufferPinner()
            let memory = Memory(pages: 9)
            let start = HostAddress(rawValue: UInt64(memory.address))
            #expect(throws: PinRefusal(.noMemory, .limit(pages: 8, pinned: 0, wanted: 9))) {
                try pinner.pin(start: start, pages: 9, access: .readWrite, limit: nil, logger: .quiet)
            }
            try pinner.pin(start: start, pages: 8, access: .readWrite, limit: nil, logger: .quiet)
            pinner.unpin(start: start, pages: 8, logger: .quiet)
        }
    }

    @Test(
        "Memory that is not there, or not writable, is EFAULT and pins nothing; read-only memory is counted")
    func badMemory() async {
        await #expect(processExitsWith: .success) {
            let pinner = RegisteredBufferPinner()
            let client = try Client.owned("sim,use-va=off", pinner: pinner)
            let before = try PinnedMemory.pages()
            let tail = Memory(pages: 4)
            tail.forbidPages(from: 3)
            #expect(client.update(0x100000, tail) == .badAddress)
            let readOnly = Memory(pages: 2, protection: PROT_READ)
            #expect(client.update(0x200000, readOnly) == .badAddress)
            #expect(try PinnedMemory.pages() == before)
            #expect(pinner.pinnedPages == 0)
            #expect(client.update(0x200000, readOnly, permission: 1) == nil)
            #expect(pinner.pinnedPages == 2)
            #expect(try PinnedMemory.pages() == before, "io_uring pins for writing only")
            client.file.close()
            #expect(pinner.pinnedPages == 0)
        }
    }

    @Test("Without CAP_IPC_LOCK io_uring may refuse on its own account: ENOMEM, and nothing stays counted")
    func refusedByIOUring() async {
        await #expect(processExitsWith: .success) {
            // Nobody has no capabilities. A process that is not root has none to begin with.
            _ = setuid(65534)
            var limit = rlimit(rlim_cur: 256 * 4096, rlim_max: 256 * 4096)
            #expect(unsafe setrlimit(__rlimit_resource_t(8), &limit) == 0)
            let pinner = RegisteredBufferPinner()
            let before = try PinnedMemory.pages()
            let memory = Memory(pages: 257)
            let start = HostAddress(rawValue: UInt64(memory.address))
            let refusal = #expect(throws: PinRefusal.self) {
                try pinner.pin(start: start, pages: 257, access: .readWrite, limit: .max, logger: .quiet)
            }
            #expect(refusal?.errno == .noMemory)
            guard case .system(let words) = refusal?.reason else {
                Issue.record("the reason is io_uring's: \(String(describing: refusal))")
                return
            }
            #expect(words.contains("ulimit -l"), "\(words)")
            #expect(pinner.pinnedPages == 0)
            #expect(try PinnedMemory.pages() == before)
            // The ring itself has taken a little of the limit.
            try pinner.pin(start: start, pages: 8, access: .readWrite, limit: .max, logger: .quiet)
            #expect(try PinnedMemory.pages() - before == 8)
        }
    }

    @Test("Where there can be no ring, a device that pins is not made, and the reason is named")
    func noRing() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 0, rlim_max: 0)
            #expect(unsafe setrlimit(__rlimit_resource_t(7), &limit) == 0)  // RLIMIT_NOFILE
            let error = #expect(throws: (any Error).self) {
                try Client("sim,parent=platform", pinner: RegisteredBufferPinner())
            }
            #expect(error.map { "\($0)" }?.contains("ulimit -n") == true)
        }
    }
}

/// What the kernel says of this process.
enum PinnedMemory {
    /// VmPin in pages.
    static func pages() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmPin:") })
        let kilobytes = try #require(line.split(separator: " ").compactMap { Int($0) }.first)
        return kilobytes * 1024 / Memory.pageSize
    }

    /// The open descriptors that are rings.
    static func ringCount() throws -> Int {
        let files = FileManager.default
        return try files.contentsOfDirectory(atPath: "/proc/self/fd").count { number in
            let target = try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
            return target?.contains("[io_uring]") == true
        }
    }
}
