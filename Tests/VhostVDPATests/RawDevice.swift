import SystemPackage
import TestSupport
import VhostVDPA

/// A character device that keeps the bytes of the last call and answers with bytes it is given.
@safe
final class RawDevice: DeviceDouble {
    private(set) var request: UInt?
    /// The argument's bytes before the call; empty for a call without an argument.
    private(set) var bytes: [UInt8] = []
    private(set) var mapping: [Int] = []
    private(set) var isClosed = false
    /// What the call leaves in the argument, from its start.
    var answer: [UInt8] = []
    var error: Errno?
    /// What `write` says it took.
    var written = 72

    func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        self.request = request
        // The size is part of the number (linux/ioctl.h), but for the configuration, which is open-ended.
        let isConfiguration = [0xaf73, 0xaf74].contains(request & 0xffff)
        let size = isConfiguration ? 8 + 4 : Int(request >> 16) & 0x3fff
        bytes = []
        if let pointer = unsafe UnsafeMutableRawPointer(bitPattern: argument) {
            bytes = unsafe Array(UnsafeRawBufferPointer(start: pointer, count: size))
            if error == nil { unsafe pointer.copyMemory(from: answer, byteCount: answer.count) }
        }
        if let error { throw error }
        return 0
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        self.bytes = unsafe Array(bytes)
        if let error { throw error }
        return written
    }

    func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer {
        mapping = [length, Int(protection), Int(flags), offset]
        if let error { throw error }
        guard let page = unsafe UnsafeMutableRawPointer(bitPattern: 0x4000) else { throw .badAddress }
        return unsafe page
    }

    func close() { isClosed = true }
}

/// Little-endian bytes of numbers of one size.
func bytes<Number: FixedWidthInteger>(_ numbers: Number...) -> [UInt8] {
    numbers.flatMap { number in
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}
