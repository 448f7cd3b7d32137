import SimulatedConformance
import SystemPackage
import TestSupport
import VhostVDPA

/// A device that answers like another one, but for one thing.
final class AlteredDevice: WrappedFile, DeviceInterposer {
    let wrapped: any CharacterDevice
    private let alteration: Break
    private let scene: Scene

    init(_ device: any CharacterDevice, _ alteration: Break, _ scene: Scene) {
        wrapped = device
        self.alteration = alteration
        self.scene = scene
        scene.open(device)
    }

    func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        try alteration.ioctl(scene, Ioctl(request: request, argument: argument)).get()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        try alteration.write(scene, unsafe Message(Array(bytes))).get()
    }

    func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer {
        if let errno = alteration.mapErrno { throw errno }
        return try unsafe wrapped.map(length: length, protection: protection, flags: flags, offset: offset)
    }

    func close() {
        wrapped.close()
        scene.close()
    }
}

/// What stands between a rule and the device: each part passes the call on, unless the break is there.
struct Break: Sendable {
    var ioctl: @Sendable (Scene, Ioctl) -> Result<Int32, Errno> = { $0.forward($1) }
    var write: @Sendable (Scene, Message) -> Result<Int, Errno> = { $0.forward($1) }
    /// What the doorbell answers, where that is not the device's own answer.
    var mapErrno: Errno?
    /// A second open succeeds, on a file that does nothing.
    var opensTwice = false
    /// What the suite takes for the file's descriptor.
    var descriptor: (@Sendable () throws -> FileDescriptor)?
}

/// A request with its argument.
struct Ioctl {
    let request: UInt
    let argument: UInt

    /// The 32-bit word of this index in what the argument points to.
    func word(_ index: Int) -> UInt32 {
        guard let pointer = unsafe UnsafeRawPointer(bitPattern: argument), argument >= 4096 else { return 0 }
        return unsafe pointer.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
    }

    /// The first eight bytes behind the argument.
    var value: UInt64 { long(atWord: 0) }

    /// The eight bytes that begin with this word.
    func long(atWord index: Int) -> UInt64 { UInt64(word(index)) | UInt64(word(index + 1)) << 32 }

    /// The first byte behind the argument, for a status.
    var byte: UInt8 {
        guard let pointer = unsafe UnsafeRawPointer(bitPattern: argument), argument >= 4096 else { return 0 }
        return unsafe pointer.load(as: UInt8.self)
    }

    /// Changes the answer the device has stored.
    func store<Value: BitwiseCopyable>(_ value: Value, atWord index: Int = 0) {
        guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: argument) else { return }
        unsafe pointer.storeBytes(of: value, toByteOffset: 4 * index, as: Value.self)
    }
}

/// A file of a second open that should not have been.
final class DeadFile: DeviceDouble {}
