internal import CLinux
public import SystemPackage

/// The kernel's `/dev/vhost-vdpa-N`.
///
/// Opening is exclusive, resets the device and takes read and write permission on the file. While it is open
/// this process owns the device; when the process ends, however it ends, the kernel resets the device and
/// removes its maps. One thread only, the control thread.
public final class KernelFile: CharacterDevice {
    /// Lent, not given: valid until ``close()``. For what ``CharacterDevice`` has no call for.
    package let descriptor: FileDescriptor
    /// Where the device stands in sysfs.
    let node: DeviceNode
    /// The descriptor's number while the file is open, then -1, which the kernel answers with EBADF. To be asked
    /// for at every call: once the file is closed the number may be another file's.
    private var openDescriptor: CInt

    /// Opens the device file at `path`.
    ///
    /// Errors say what to do: no such file, no permission, another process holds the device, no device at all. A
    /// file that is no vhost-vdpa device is not opened, where sysfs says what it is: to open a file of another kind
    /// may wait for somebody or set something off.
    public convenience init(path: FilePath) throws(VhostVDPAError) {
        let file = DeviceFile(path: path)
        try file.requireDevice()
        try self.init(opening: file)
        try requireDevice(file)
    }

    /// Takes over a descriptor that this process inherited, as `--device fd:N` names it. It is closed on exec.
    public convenience init(inherited descriptor: FileDescriptor) throws(VhostVDPAError) {
        let file = DeviceFile(descriptor: descriptor)
        try file.requireOpenForBoth()
        try file.requireDevice()
        // Asked before it is taken over: what is refused stays the caller's.
        try Self.requireDevice(file, descriptor)
        try self.init(takingOver: file, descriptor)
    }

    /// Opens a character device of any kind. For tests, which have no vhost-vdpa device.
    package convenience init(anyDevice path: FilePath) throws(VhostVDPAError) {
        try self.init(opening: DeviceFile(path: path))
    }

    private init(opening file: DeviceFile) throws(VhostVDPAError) {
        let opened = try file.open()
        descriptor = opened
        openDescriptor = opened.rawValue
        node = DeviceNode(number: clinux_device_number(opened.rawValue))
    }

    private init(takingOver file: DeviceFile, _ descriptor: FileDescriptor) throws(VhostVDPAError) {
        let result = clinux_close_on_exec(descriptor.rawValue)
        guard result == 0 else { throw file.failure(Errno(rawValue: -result)) }
        node = DeviceNode(number: clinux_device_number(descriptor.rawValue))
        self.descriptor = descriptor
        openDescriptor = descriptor.rawValue
    }

    deinit { close() }

    /// The name of the vDPA device behind the file, as `vdpa0`, or `nil` where sysfs does not say.
    public var deviceName: String? {
        // …/vdpa0/vhost-vdpa-0: the character device stands below the vDPA device.
        node.path?.removingLastComponent().lastComponent?.string
    }

    /// Whether the device was removed (`vdpa dev del`) while the file is open. The kernel tells nobody, and whoever
    /// removes it waits until this file is closed: look now and then, and close.
    ///
    /// `false` also where sysfs does not say. One or two system calls.
    public var isGone: Bool { node.isGone }

    /// Whether the device file at `path` is VDUSE's, which a process serves; `false` where sysfs does not say. The vDPA
    /// device stands below the one that VDUSE makes, as `/sys/devices/virtual/vduse/NAME/NAME`.
    package static func isServedByProcess(_ path: FilePath) -> Bool {
        var kind = clinux_file_kind()
        guard unsafe path.withPlatformString({ unsafe clinux_kind_of_file($0, &kind) }) == 0 else {
            return false
        }
        return DeviceNode(number: kind.number).path?.components.contains { $0.string == "vduse" } ?? false
    }

    /// `ioctl(2)`, once: what a signal interrupted is made again by who called (`ioctlAgain`).
    public func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        let result = clinux_ioctl(openDescriptor, request, argument)
        guard result >= 0 else { throw Errno(rawValue: -result) }
        return result
    }

    /// `write(2)`, again while a signal interrupts it.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        let descriptor = openDescriptor
        return Int(try Self.uninterrupted { unsafe clinux_write(descriptor, bytes.baseAddress, bytes.count) })
    }

    /// `mmap(2)`. The mapping outlives the file.
    public func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer {
        var address: UnsafeMutableRawPointer?
        _ = try Self.uninterrupted {
            unsafe clinux_mmap(&address, length, protection, flags, openDescriptor, offset)
        }
        guard let address = unsafe address else { throw .invalidArgument }
        return unsafe address
    }

    /// `close(2)`: the kernel resets the device and removes its maps before this returns.
    public func close() {
        guard openDescriptor >= 0 else { return }
        openDescriptor = -1
        // Nothing can be done about a failed close: the descriptor is gone either way (close(2)).
        try? descriptor.close()
    }

    /// What `call` answers, made again while a signal interrupts it; the C shims answer a negative errno for a failure.
    /// What is interrupted every time is refused with EINTR.
    private static func uninterrupted(_ call: () -> CInt) throws(Errno) -> CInt {
        var interruptions = 0
        while true {
            let result = call()
            if result >= 0 { return result }
            let errno = Errno(rawValue: -result)
            interruptions += 1
            if errno != .interrupted || interruptions > interruptionLimit { throw errno }
        }
    }

    /// How often in a row a call is made again because a signal interrupted it.
    private static var interruptionLimit: Int { 1000 }

    private func requireDevice(_ file: DeviceFile) throws(VhostVDPAError) {
        do throws(VhostVDPAError) {
            try Self.requireDevice(file, descriptor)
        } catch {
            close()
            throw error
        }
    }

    /// Asks the open file the one question that every vhost-vdpa device answers, owner or not (drivers/vhost/vdpa.c),
    /// and no other file: where sysfs is not to be seen nothing else says what a file is.
    private static func requireDevice(
        _ file: DeviceFile, _ descriptor: FileDescriptor
    ) throws(VhostVDPAError) {
        var identifier: UInt32 = 0
        do throws(Errno) {
            _ = try uninterrupted {
                unsafe withUnsafeMutablePointer(to: &identifier) { pointer in
                    clinux_ioctl(descriptor.rawValue, clinux_vdpa_get_device_id, UInt(bitPattern: pointer))
                }
            }
        } catch {
            throw file.refusal(ofQuestion: error)
        }
    }
}
