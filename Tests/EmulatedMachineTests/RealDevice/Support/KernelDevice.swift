import Glibc
import SystemPackage
import Testing

/// What the kernel says of the device under test: which parent it has, and how that one was loaded.
struct KernelDevice {
    /// The parent driver behind the device.
    enum Parent {
        /// vdpa_sim: SUSPEND and ring positions; its own IOTLB, which a reset without IOTLB_PERSIST empties.
        case simulator
        /// vp_vdpa: neither; the platform's IOMMU, which no reset touches.
        case virtioPCI
        /// Hardware of which nothing is known here.
        case other
    }

    let parent: Parent
    /// Whether the parent maps by the owner's virtual addresses and pins nothing.
    let usesVirtualAddresses: Bool
    /// The kernel's release, as `6.12.117-amd64`.
    let release: String

    /// The path in `EMU_TEST_DEVICE`.
    static var path: FilePath? {
        guard let value = unsafe getenv("EMU_TEST_DEVICE") else { return nil }
        return unsafe FilePath(platformString: value)
    }

    /// Looks the device under test up in sysfs: its folder there lies in its parent's.
    static func underTest() throws -> KernelDevice {
        let path = try #require(path)
        var status = stat()
        guard unsafe stat(path.string, &status) == 0 else { throw Errno(rawValue: errno) }
        let number =
            "\(status.st_rdev >> 8 & 0xfff):\(status.st_rdev & 0xff | status.st_rdev >> 12 & 0xfff00)"
        let folder = unsafe try #require(
            unsafe realpath("/sys/dev/char/\(number)", nil), "\(path) is no device")
        defer { unsafe free(folder) }
        let components = unsafe FilePath(platformString: folder).components.map(\.string)
        // /sys/devices/pci0000:00/0000:00:10.0/vdpa0/vhost-vdpa-0, or without a parent /sys/devices/vdpa0/….
        let parent: Parent =
            if components.count == 4, hasModule("vdpa_sim") {
                .simulator
            } else if components.contains(where: { $0.hasPrefix("pci") }), hasModule("vp_vdpa") {
                .virtioPCI
            } else { .other }
        // Linux 6.1's simulator has no such parameter: it pins.
        let parameter = try? ProcessFiles.text(of: "/sys/module/vdpa_sim/parameters/use_va")
        return KernelDevice(
            parent: parent,
            usesVirtualAddresses: parent == .simulator && parameter?.hasPrefix("Y") == true,
            release: try ProcessFiles.text(of: "/proc/sys/kernel/osrelease").trimmingSuffix("\n"))
    }

    private static func hasModule(_ name: String) -> Bool { unsafe access("/sys/module/\(name)", F_OK) == 0 }

    /// Whether the parent can say where its rings stand, so that a machine goes on where it was.
    var keepsRings: Bool { parent == .simulator }

    /// Whether the kernel has IOTLB_PERSIST, and simulators that begin with every address mapped to itself.
    var hasPersistence: Bool {
        let numbers = release.split(separator: ".").prefix(2).compactMap { Int($0) }
        return numbers.count == 2 && (numbers[0], numbers[1]) >= (6, 7)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: Character) -> String {
        last == suffix ? String(dropLast()) : self
    }
}
