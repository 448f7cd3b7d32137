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
    private var isOpen = true

    /// The descriptor's number, for questions that no device call answers.
    var rawDescriptor: CInt { descriptor.rawValue }

    /// The same while the file is open, else `nil`.
    var openDescriptor: CInt? { isOpen ? rawDescriptor : nil }

    /// Opens the device file at `path`.
    ///
    /// Errors say what to do: no such file, no permission, another process holds the device, no device at all.
    public init(path: FilePath) throws(VhostVDPAError) {
        let opened: FileDescriptor
        do throws(Errno) {
            opened = try Self.open(path)
        } catch {
            throw VhostVDPAError(
                .open, call: "open(\(path))", errno: error, context: KernelFileAdvice.opening(path, error))
        }
        guard Self.isCharacterDevice(opened) else {
            Self.close(opened)
            throw VhostVDPAError(
                .open, call: "open(\(path))", errno: .inappropriateIOCTLForDevice,
                context: "it is not a character device")
        }
        node = DeviceNode(number: clinux_device_number(opened.rawValue))
        // Last: once every property has its value a throw runs deinit, which closes.
        descriptor = opened
    }

    /// Takes over a descriptor that this process inherited, as `--device fd:N` names it. It is closed on exec.
    public init(inherited descriptor: FileDescriptor) throws(VhostVDPAError) {
        let call = "fd:\(descriptor.rawValue)"
        let mode = clinux_access_mode(descriptor.rawValue)
        guard mode >= 0 else {
            throw VhostVDPAError(
                .open, call: call, errno: Errno(rawValue: -mode),
                context: "no such open descriptor: open the device in the parent, as in"
                    + " `emu … --device fd:\(descriptor.rawValue) \(descriptor.rawValue)<>/dev/vhost-vdpa-0`")
        }
        guard mode == O_RDWR else {
            throw VhostVDPAError(
                .open, call: call, errno: .badFileDescriptor,
                context:
                    "the descriptor must be open for reading and writing (`\(descriptor.rawValue)<>FILE`)")
        }
        guard Self.isCharacterDevice(descriptor) else {
            throw VhostVDPAError(
                .open, call: call, errno: .inappropriateIOCTLForDevice,
                context: "it is not a character device")
        }
        let result = clinux_close_on_exec(descriptor.rawValue)
        guard result == 0 else {
            throw VhostVDPAError(.open, call: call, errno: Errno(rawValue: -result))
        }
        node = DeviceNode(number: clinux_device_number(descriptor.rawValue))
        self.descriptor = descriptor
    }

    deinit { close() }

    /// `ioctl(2)`, again while a signal interrupts it.
    public func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        try withDescriptor { clinux_ioctl($0, request, argument) }
    }

    /// `write(2)`, again while a signal interrupts it.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        guard isOpen else { throw .badFileDescriptor }
        do {
            return try unsafe descriptor.write(bytes, retryOnInterrupt: true)
        } catch let error as Errno {
            throw error
        } catch {
            throw .ioError
        }
    }

    /// `mmap(2)`. The mapping outlives the file.
    public func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer {
        var address: UnsafeMutableRawPointer?
        _ = try withDescriptor { unsafe clinux_mmap(&address, length, protection, flags, $0, offset) }
        guard let address = unsafe address else { throw .invalidArgument }
        return unsafe address
    }

    /// `close(2)`: the kernel resets the device and removes its maps before this returns.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        Self.close(descriptor)
    }

    /// Calls with the open descriptor, again while a signal interrupts; `body` answers as the C shims do.
    @inline(__always)
    private func withDescriptor(_ body: (CInt) -> CInt) throws(Errno) -> Int32 {
        guard isOpen else { throw .badFileDescriptor }
        while true {
            let result = body(descriptor.rawValue)
            if result >= 0 { return result }
            let errno = Errno(rawValue: -result)
            if errno != .interrupted { throw errno }
        }
    }

    private static func open(_ path: FilePath) throws(Errno) -> FileDescriptor {
        do {
            return try FileDescriptor.open(path, .readWrite, options: .closeOnExec)
        } catch let error as Errno {
            throw error
        } catch {
            throw .ioError
        }
    }

    private static func isCharacterDevice(_ descriptor: FileDescriptor) -> Bool {
        clinux_is_character_device(descriptor.rawValue) == 1
    }

    /// Nothing can be done about a failed close: the descriptor is gone either way (close(2)).
    private static func close(_ descriptor: FileDescriptor) {
        try? descriptor.close()
    }
}
