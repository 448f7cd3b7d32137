internal import LinuxHost
public import SystemPackage
public import VhostVDPA
public import VirtQueue
public import Virtio

/// What a start tells the device about one virtqueue.
public struct VringSetup: Hashable, Sendable {
    /// Which queue.
    public var index: VringIndex
    /// Its size, and where its ring stands as the device addresses it.
    public var layout: RingLayout
    /// Where the ring goes on.
    public var base: VringBase
    /// The eventfd that the driver writes to. The caller keeps it open until the device is stopped: the backend writes
    /// to it when it starts and when it resumes. The next start may have another one.
    public var kick: FileDescriptor
    /// The eventfd that the device writes to. The kernel holds it from the start on; the next one may have another.
    public var call: FileDescriptor

    /// A setup of its parts. Without a `base` the ring is a new one.
    public init(
        index: VringIndex, layout: RingLayout, base: VringBase = .zero, kick: FileDescriptor,
        call: FileDescriptor
    ) {
        self.index = index
        self.layout = layout
        self.base = base
        self.kick = kick
        self.call = call
    }

    /// Kicks as the driver would. A counter at its maximum says already what the kick would say.
    func kickDevice() throws(BackendError) {
        guard let errno = EventFD.signal(kick) else { return }
        throw BackendError(.systemCall, "kicking queue \(index): \(errno)", errno: errno)
    }
}
