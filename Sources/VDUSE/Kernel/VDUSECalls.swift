package import GuestMemory
package import SystemPackage
package import Virtio

/// What a process that serves a VDUSE device can do with its file: the kernel's calls, typed. ``VDUSEDeviceFile`` makes
/// them; a test stands in for the kernel.
///
/// **Thread.** One, the control thread; none of the calls waits.
package protocol VDUSECalls: ~Copyable {
    /// Readable while a message waits. Lent: valid while this value lives.
    var descriptor: FileDescriptor { get }

    /// Takes the next message; `nil` where none waits.
    func nextMessage() throws(VDUSEError) -> KernelMessage?
    /// Answers a message.
    func answer(_ answer: KernelAnswer) throws(VDUSEError)

    /// The features that the driver has set, checked by nobody (VDUSE_DEV_GET_FEATURES).
    func driverFeatures() throws(VDUSEError) -> VirtioFeatures
    /// What the kernel knows of a queue (VDUSE_VQ_GET_INFO).
    func queue(_ index: Int) throws(VDUSEError) -> QueueInformation

    /// Has the driver's kicks of a queue signal `kick` from now on, and at once where one has come meanwhile; `nil` has the
    /// kernel remember that there was one. A reset undoes it (VDUSE_VQ_SETUP_KICKFD).
    func bindKick(_ kick: FileDescriptor?, queue: Int) throws(VDUSEError)
    /// Interrupts the driver of a queue; `false` where the kernel refuses it, as the device does not run as far as it knows:
    /// DRIVER_OK is noted some time after it is answered (VDUSE_VQ_INJECT_IRQ).
    func interrupt(queue: Int) -> Bool
    /// Tells the driver to look at the configuration space; `false` where the device does not run, which nothing else says
    /// of a device that another process has served before (VDUSE_DEV_INJECT_CONFIG_IRQ).
    func interruptConfiguration() -> Bool

    /// Maps the lowest region of the driver's memory that has an address from `first` on; `nil` where there is none
    /// (VDUSE_IOTLB_GET_FD, mmap(2)). A region that `known` has stays that one. One whose file does not permit it is found
    /// and not mapped.
    func region(from first: IOVirtualAddress, known: [MappedRegion]) throws(VDUSEError) -> FoundRegion?
}
