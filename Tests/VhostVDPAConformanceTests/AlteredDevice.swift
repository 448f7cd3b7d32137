import SystemPackage
import VhostVDPA

/// A device that answers like another one, but for one thing.
final class AlteredDevice: CharacterDevice {
    /// One small break: what it does to the calls it cares about.
    struct Break: Sendable {
        /// Replaces the answer of an ioctl: given the request, the argument and the device's own answer.
        var ioctl: @Sendable (UInt, UInt, Result<Int32, Errno>) -> Result<Int32, Errno> = { $2 }
        /// Replaces the answer of a write: given the bytes and the device's own answer.
        var write: @Sendable ([UInt8], Result<Int, Errno>) -> Result<Int, Errno> = { $1 }
        /// Swallows a call before the device sees it; it answers 0.
        var swallowsIoctl: @Sendable (UInt, UInt) -> Bool = { _, _ in false }
        /// Swallows a message before the device sees it; it answers 72.
        var swallowsWrite: @Sendable ([UInt8]) -> Bool = { _ in false }
        /// What the doorbell answers, where that is not the device's own answer.
        var mapErrno: Errno?
    }

    let device: any CharacterDevice
    private let alteration: Break

    init(_ device: any CharacterDevice, _ alteration: Break) {
        self.device = device
        self.alteration = alteration
    }

    func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        if alteration.swallowsIoctl(request, argument) { return 0 }
        let answer: Result<Int32, Errno>
        do throws(Errno) {
            answer = .success(try device.ioctl(request, argument))
        } catch {
            answer = .failure(error)
        }
        return try alteration.ioctl(request, argument, answer).get()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        let copy = unsafe Array(bytes)
        if alteration.swallowsWrite(copy) { return 72 }
        let answer: Result<Int, Errno>
        do throws(Errno) {
            answer = .success(try unsafe device.write(bytes))
        } catch {
            answer = .failure(error)
        }
        return try alteration.write(copy, answer).get()
    }

    func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer {
        if let errno = alteration.mapErrno { throw errno }
        return try unsafe device.map(length: length, protection: protection, flags: flags, offset: offset)
    }

    func close() { device.close() }
}
