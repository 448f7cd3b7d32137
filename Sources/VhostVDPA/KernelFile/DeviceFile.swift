internal import CLinux
internal import SystemPackage

/// A file that is said to be a vhost-vdpa device: what it is, and the words for what it is not.
struct DeviceFile {
    /// As errors name the file.
    private let call: String
    private let path: FilePath?
    private let descriptor: FileDescriptor?

    /// The file at `path`, which is not open.
    init(path: FilePath) {
        call = "open(\(path))"
        self.path = path
        descriptor = nil
    }

    /// The file that is open as `descriptor`.
    init(descriptor: FileDescriptor) {
        call = "fd:\(descriptor.rawValue)"
        path = nil
        self.descriptor = descriptor
    }

    /// Opens it. Does not wait for a terminal's line, and makes none this process's own.
    func open() throws(VhostVDPAError) -> FileDescriptor {
        let result = unsafe (path ?? "").withPlatformString { unsafe clinux_open_device($0) }
        guard result >= 0 else { throw failure(Errno(rawValue: -result)) }
        return FileDescriptor(rawValue: result)
    }

    /// Throws where the descriptor is closed, or open for reading or writing alone.
    func requireOpenForBoth() throws(VhostVDPAError) {
        guard let number = descriptor?.rawValue else { return }
        let mode = clinux_access_mode(number)
        guard mode >= 0 else {
            throw VhostVDPAError(
                .open, call: call, errno: Errno(rawValue: -mode),
                context: "no such open descriptor: open the device in the parent, as in"
                    + " `emu … --device fd:\(number) \(number)<>/dev/vhost-vdpa-0`")
        }
        guard mode == clinux_read_write else {
            throw VhostVDPAError(
                .open, call: call, errno: .badFileDescriptor,
                context: "the descriptor must be open for reading and writing (`\(number)<>FILE`)")
        }
    }

    /// Throws where it is no character device, or one that sysfs knows as another one.
    func requireDevice() throws(VhostVDPAError) {
        var kind = clinux_file_kind()
        let result =
            if let descriptor {
                unsafe clinux_kind_of_descriptor(descriptor.rawValue, &kind)
            } else {
                unsafe (path ?? "").withPlatformString { unsafe clinux_kind_of_file($0, &kind) }
            }
        guard result == 0 else { throw failure(Errno(rawValue: -result)) }
        if let name = Self.name(ofMode: kind.mode) { throw isNoDevice(name) }
        guard let node = DeviceNode(number: kind.number).path?.lastComponent?.string else { return }
        // drivers/vhost/vdpa.c gives its devices this name, and no class by which to know them.
        guard node.hasPrefix("vhost-vdpa-") else { throw isNoDevice("the character device '\(node)'") }
    }

    /// A call that failed with `errno`, and what that means of a device file.
    func failure(_ errno: Errno) -> VhostVDPAError {
        VhostVDPAError(
            .open, call: call, errno: errno,
            context: KernelFileAdvice.opening(path ?? "/dev/vhost-vdpa-N", errno))
    }

    /// The question that every vhost-vdpa device answers was refused with `errno`: what it is where its driver does not
    /// know the question, and otherwise only why it was refused.
    func refusal(ofQuestion errno: Errno) -> VhostVDPAError {
        Self.unknownCall.contains(errno.rawValue)
            ? isNoDevice("a character device of another driver") : failure(errno)
    }

    /// How drivers answer calls that they do not know: ENOTTY, EINVAL, ENOIOCTLCMD, and EBADFD of /dev/net/tun.
    private static let unknownCall: Set<CInt> = [25, 22, 515, 77]

    /// It is something else, which `what` names.
    func isNoDevice(_ what: String) -> VhostVDPAError {
        VhostVDPAError(
            .otherFile, call: call, errno: .inappropriateIOCTLForDevice,
            context: "this is \(what), not a vhost-vdpa device; " + KernelFileAdvice.find)
    }

    /// What a file of mode `mode` is, or `nil` for a character device.
    static func name(ofMode mode: UInt32) -> String? {
        switch mode & 0o170000 {
        case 0o020000: nil
        case 0o040000: "a directory"
        case 0o010000: "a FIFO"
        case 0o060000: "a block device"
        case 0o100000: "a regular file"
        case 0o140000: "a socket"
        default: "no character device"
        }
    }
}
