import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import VirtioNet

/// Two TAPs on one bridge, in a network namespace of their own: one for a worker, the other one for the test.
///
/// What the test writes the worker reads, and the reverse. Nothing else is on the wire.
final class BridgedTAP {
    private let namespace: NetworkNamespace
    private let far: TAPDevice

    init() throws {
        namespace = try NetworkNamespace()
        far = try TAPDevice(name: "far", namespace: namespace.name)
        namespace.expect("ip link add wire type bridge forward_delay 0 mcast_snooping 0")
        namespace.expect("ip link set wire up")
        namespace.expect("ip link set far master wire up txqueuelen 2000")
    }

    /// The end that a worker is to own.
    func makeNear() throws -> TAPDevice {
        let near = try TAPDevice(name: "near", namespace: namespace.name)
        namespace.expect("ip link set near master wire up txqueuelen 2000")
        return near
    }

    /// Runs a command where both interfaces are.
    func expect(_ command: String, sourceLocation: SourceLocation = #_sourceLocation) {
        namespace.expect(command, sourceLocation: sourceLocation)
    }

    /// The test's end. Valid while this object lives.
    var descriptor: FileDescriptor { far.descriptor }
}

/// A numbered frame behind a virtio header, small and to nobody.
enum NumberedFrame {
    static let byteCount = NetworkHeader.byteCount + 60
    private static let etherType: UInt16 = 0x88b5

    /// Writes frame `number` of `sender` to a TAP; `false` where its queue is full.
    static func send(_ number: UInt32, sender: UInt8, to tap: FileDescriptor) -> Bool {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        let head: [UInt8] = [0x02, 0, 0, 0, 0xff, sender ^ 0xff, 0x02, 0, 0, 0, 0, sender, 0x88, 0xb5]
        bytes.replaceSubrange(12..<26, with: head)
        for place in 0..<4 { bytes[26 + place] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(place))) }
        for place in 30..<byteCount { bytes[place] = UInt8(truncatingIfNeeded: Int(number) &+ place) }
        let written = try? unsafe bytes.withUnsafeBytes { unsafe try tap.write($0) }
        return written == byteCount
    }

    /// The number of a frame that is as `send` wrote it; `nil` for any other.
    static func number(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
        guard bytes.count == byteCount, unsafe bytes[24] == 0x88, unsafe bytes[25] == 0xb5 else {
            return nil
        }
        var number: UInt32 = 0
        for place in 0..<4 { number |= unsafe UInt32(bytes[26 + place]) << (8 * UInt32(place)) }
        for place in 30..<byteCount
        where unsafe bytes[place] != UInt8(truncatingIfNeeded: Int(number) &+ place) {
            return nil
        }
        return number
    }

    /// Reads a frame from a TAP: its number, `.max` for one that is not ours, `nil` where there is none.
    static func receive(from tap: FileDescriptor) -> UInt32? {
        var bytes = [UInt8](repeating: 0, count: 2048)
        return unsafe bytes.withUnsafeMutableBytes { buffer -> UInt32? in
            guard let count = try? unsafe tap.read(into: buffer) else { return nil }
            return unsafe number(UnsafeRawBufferPointer(rebasing: buffer[..<count])) ?? .max
        }
    }

    /// Waits for the next frame of ours; `nil` where none comes.
    static func next(from tap: FileDescriptor) -> UInt32? {
        while becomesReadable(tap), let number = receive(from: tap) {
            if number != .max { return number }
        }
        return nil
    }
}
