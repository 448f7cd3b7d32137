internal import LinuxHost
public import SystemPackage
public import VhostVDPA

/// How the suite reaches a device: everything it is told about one rather than finds out.
public struct DeviceOpener {
    /// Opens the device: a new file each time, with open's errno.
    public var open: () throws(Errno) -> any CharacterDevice
    /// The kernel behind the device.
    public var kernel: KernelRelease
    /// Makes an ioctl as another process would that inherited the file; `nil` where there is no way.
    package var ioctlFromChild: ((any CharacterDevice, UInt, UInt) -> Errno?)?
    /// The file's descriptor; `nil` for a simulated device, which has none.
    public var descriptor: ((any CharacterDevice) -> FileDescriptor?)?
    /// The bytes this process has pinned, or `nil` where nobody counts.
    public var pinnedBytes: () -> UInt64?
    /// The most entries of an address space; `nil` where there is no limit or it is not known.
    public var entryLimit: Int?
    /// The length in bytes of the physically contiguous runs that pinned memory is taken to be in; `nil` where it is in
    /// those that it really has.
    public var runByteCount: UInt64?
    /// The most bytes that may be pinned; `nil` for RLIMIT_MEMLOCK, which is the kernel's limit.
    public var lockedMemoryLimit: UInt64?
    /// Whether the parent has no `.reset_map` although it looks like a kernel's that has: a simulated one that was made so.
    package var lacksResetMap = false
    /// Returns when the device has done everything it is going to do by itself; `nil` where only time can tell, and
    /// ``quietMilliseconds`` and ``patienceMilliseconds`` are waited instead.
    public var settle: (() -> Void)?
    /// The device from both sides of its file; `nil` where nobody can look inside.
    package var interior: (() -> DeviceInterior)?
    /// How a device in its 1:1 state reaches memory of ours; `nil` where that is the machine's doing: the owner's
    /// virtual address, or the physical one.
    package var identity: IdentityAccess?
    /// A process serves the device (VDUSE). Nothing in vhost-vdpa's answers says so.
    public var isServedByProcess = false
    /// Whether somebody asks to end: waits end early then, and what a rule says is worth nothing.
    public var isInterrupted: () -> Bool = { false }
    /// Why what stands behind a simulated device has stopped for good, through no fault of the device's rules; `nil` while
    /// it works, and for a real device. What a rule says from then on is worth nothing.
    public var failure: () -> String? = { nil }
    /// How long a wait for something that must not happen lasts, in milliseconds.
    public var quietMilliseconds: Int
    /// How long a wait for something that must happen lasts at most, in milliseconds.
    public var patienceMilliseconds = 5000

    /// An opener of a device behind `kernel`.
    ///
    /// - Parameters:
    ///   - kernel: The kernel behind the device, or the one that it plays.
    ///   - quietMilliseconds: How long a wait for something that must not happen lasts.
    ///   - entryLimit: The most entries of an address space; `nil` where there is no limit or it is not known.
    ///   - pinnedBytes: The bytes that this process has pinned; `nil` for what the kernel counts of it.
    ///   - open: Opens the device: a new file each time, with open's errno.
    public init(
        kernel: KernelRelease, quietMilliseconds: Int = 400, entryLimit: Int? = nil,
        pinnedBytes: (() -> UInt64?)? = nil,
        open: @escaping () throws(Errno) -> any CharacterDevice
    ) {
        self.open = open
        self.kernel = kernel
        self.quietMilliseconds = quietMilliseconds
        self.entryLimit = entryLimit
        self.pinnedBytes = pinnedBytes ?? { ProcessStatus.pinnedBytes }
    }
}

extension DeviceOpener {
    /// The bytes this process has pinned.
    ///
    /// - Throws: ``RuleInterruption/notAsked(reason:)`` where they cannot be read.
    func countedPins() throws(RuleInterruption) -> UInt64 {
        guard let bytes = pinnedBytes() else {
            throw .notAsked(
                reason:
                    "the pinned memory of this process cannot be read from /proc/self/status; mount /proc, or raise"
                    + " 'ulimit -n'")
        }
        return bytes
    }
}
