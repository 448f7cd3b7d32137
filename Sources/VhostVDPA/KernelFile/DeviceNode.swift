internal import Glibc
internal import SystemPackage

/// Where an open character device stands in sysfs: what the kernel calls it, and whether it is still there.
///
/// `vdpa dev del` deletes the device's node at once and then waits until whoever holds the device closes it
/// (vhost_vdpa_remove, drivers/vhost/vdpa.c). The holder is told nothing: its calls go on as before. That the entry
/// in sysfs is gone is the only sign. The kernel gives the number to no other device before the holder has closed.
struct DeviceNode {
    /// `/sys/dev/char`, where every character device has an entry by its number.
    private let folder: FilePath
    private let entry: FilePath
    /// Whether the entry was there when the device was opened. Where it was not, nothing can be said later.
    private let wasVisible: Bool

    /// The node of the device with the number `number` (`st_rdev`), in the sysfs mounted at `sysfs`.
    init(number: UInt64, sysfs: FilePath = "/sys") {
        // How <sys/sysmacros.h> packs the two numbers, below 4096 and 2²⁰ as Linux has them.
        let (major, minor) = (number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xfff00)
        folder = sysfs.appending("dev/char")
        entry = folder.appending("\(major):\(minor)")
        wasVisible = Self.find(entry) == nil
    }

    /// The number as sysfs writes it.
    var entryName: String? { entry.lastComponent?.string }

    /// Whether the device was there and is no more; `false` where sysfs does not say. One or two system calls.
    var isGone: Bool {
        // A sysfs that is not there any more says nothing of the device.
        wasVisible && Self.find(entry) == ENOENT && Self.find(folder) == nil
    }

    /// The folders of sysfs that lead to the device, itself last, as `…/vdpa0/vhost-vdpa-0`; `nil` where sysfs does
    /// not say.
    var path: FilePath? {
        guard let resolved = unsafe realpath(entry.string, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe FilePath(platformString: resolved)
    }

    /// The errno of looking for `path`, or `nil` where it is there.
    private static func find(_ path: FilePath) -> CInt? {
        unsafe path.withPlatformString { unsafe access($0, F_OK) == 0 ? nil : errno }
    }
}
