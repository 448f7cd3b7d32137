import Glibc
import SystemPackage
import Testing

@testable import IOUring

@Suite("Slots for registered buffers")
struct BufferSlotTests {
    @Test("A slot takes a buffer, another one in its place, and none")
    func slots() throws {
        var ring = try makeRing(options: [])
        try ring.registerBufferSlots(count: 4)
        let memory = Memory(count: 8192)
        unsafe try ring.setBuffer(slot: 3, memory.bytes)
        unsafe try ring.setBuffer(slot: 3, UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<4096]))
        unsafe try ring.setBuffer(slot: 3, nil)
        unsafe try ring.setBuffer(slot: 3, nil)
        try ring.unregisterBuffers()
    }

    @Test("A slot that is not there is EINVAL, and so are slots over the kernel's limit")
    func limits() throws {
        var ring = try makeRing(options: [])
        let tooMany = #expect(throws: IOUringError.self) {
            try ring.registerBufferSlots(count: IOUring.bufferSlotLimit + 1)
        }
        #expect(tooMany?.errno == .invalidArgument)
        try ring.registerBufferSlots(count: IOUring.bufferSlotLimit)
        let memory = Memory(count: 4096)
        let outside = #expect(throws: IOUringError.self) {
            unsafe try ring.setBuffer(slot: IOUring.bufferSlotLimit, memory.bytes)
        }
        #expect(outside?.errno == .invalidArgument)
    }

    @Test(
        "A buffer over the kernel's limit, and memory that is not there, are EFAULT and leave the slot usable"
    )
    func refusedBuffers() throws {
        var ring = try makeRing(options: [])
        try ring.registerBufferSlots(count: 1)
        let length = IOUring.bufferByteLimit + 4096
        let start = unsafe mmap(
            nil, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        defer { unsafe munmap(start, length) }
        for count in [length, 4096] {
            let error = #expect(throws: IOUringError.self) {
                unsafe try ring.setBuffer(slot: 0, UnsafeMutableRawBufferPointer(start: start, count: count))
            }
            #expect(error?.errno == .badAddress)
        }
        let memory = Memory(count: 4096)
        unsafe try ring.setBuffer(slot: 0, memory.bytes)
    }
}
