internal import CLinux
internal import SimulatedVDPA
internal import SystemPackage

/// A simulated device that programs see as `/dev/vhost-vdpa-N`, and the file that one of them has open on it.
///
/// Supervisor's thread only.
struct ExposedDevice {
    /// What programs open.
    let path: String
    /// What its file is.
    let node: DeviceNode
    let device: SimulatedVDPADevice
    private let pinner: any Pinner
    /// The byte of the placeholder's lock: what a descriptor is known by.
    let token: UInt64
    /// The open file; `nil` where nobody has it open.
    private(set) var file: VhostVDPACharacterDevice?
    /// The file may be written to.
    private(set) var isWritable = false

    init(_ device: SimulatedVDPADevice, pinner: any Pinner, number: Int, major: UInt32, token: UInt64) {
        self.device = device
        self.pinner = pinner
        path = "/dev/vhost-vdpa-\(number)"
        node = DeviceNode(major: major, minor: UInt32(number))
        self.token = token
    }

    /// Opens the device for a program, and returns the placeholder that it is to have a descriptor of.
    mutating func open(isWritable: Bool) throws(Errno) -> FileDescriptor {
        let file = try device.openVhostVDPA()
        var number: Int32 = -1
        let result = unsafe clinux_make_placeholder(token, &number)
        guard result == 0 else {
            file.close()
            throw Errno(rawValue: -result)
        }
        self.file = file
        self.isWritable = isWritable
        return FileDescriptor(rawValue: number)
    }

    /// Releases the file where no program has a descriptor of it any more, found with `probe`.
    mutating func releaseIfClosed(_ probe: FileDescriptor) {
        guard let file, clinux_placeholder_is_open(probe.rawValue, token) == 0 else { return }
        file.close()
        self.file = nil
    }

    /// Whether pages are pinned for somebody.
    var hasPins: Bool { file != nil && pinner.pinnedPages > 0 }

    /// Releases the file.
    mutating func release() {
        file?.close()
        file = nil
    }
}
