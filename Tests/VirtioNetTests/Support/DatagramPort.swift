import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import VirtioNet

/// A pair of sockets that keeps frames apart: to a worker one end is as good as a TAP, and the test has the other.
///
/// It can be full, and closed, which a TAP's far end cannot be made to be at a chosen moment.
final class DatagramPort {
    /// The test's end.
    private var far: FileDescriptor?
    private var near: FileDescriptor?

    init() throws {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
        near = FileDescriptor(rawValue: ends[0])
        far = FileDescriptor(rawValue: ends[1])
    }

    deinit {
        close()
        try? near?.close()
    }

    /// The end that a worker is to own. Once.
    func makeNear() throws -> TAPDevice {
        let descriptor = try #require(near)
        near = nil
        return TAPDevice(adopting: descriptor)
    }

    /// What a write is answered when the other end is closed: first ECONNREFUSED, then ENOTCONN.
    static let refusals: [Int32] = [ECONNREFUSED, ENOTCONN]

    /// Closes the test's end: whatever is written to the other one is refused from now on.
    func close() {
        try? far?.close()
        far = nil
    }

    /// Whether nobody has the worker's end any more, as the kernel says of a frame to it.
    var isNearClosed: Bool {
        do {
            _ = try unsafe Self.frame(60).withUnsafeBytes { unsafe try far?.write($0) }
            return false
        } catch let error as Errno {
            return Self.refusals.contains(error.rawValue)
        } catch {
            return false
        }
    }

    /// A frame of `byteCount` bytes behind an empty header; its bytes tell `number`.
    static func frame(_ byteCount: Int, number: Int = 0) -> [UInt8] {
        [UInt8](repeating: 0, count: NetworkHeader.byteCount)
            + (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &+ number) }
    }

    /// Sends a frame; `false` where the port is full.
    func send(_ frame: [UInt8]) -> Bool {
        (try? unsafe frame.withUnsafeBytes { unsafe try far?.write($0) }) == frame.count
    }

    /// The next frame with its header, or `nil` where there is none.
    func receive() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        let count = try? unsafe bytes.withUnsafeMutableBytes { unsafe try far?.read(into: $0) }
        guard let count, count > 0 else { return nil }
        return Array(bytes[..<count])
    }

    /// Waits for the next frame, and takes the header off.
    func awaitPayload() -> [UInt8]? {
        guard let far, becomesReadable(far) else { return nil }
        return receive().map { Array($0.dropFirst(NetworkHeader.byteCount)) }
    }
}
