import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import VhostVDPA

/// A device that goes away while it is open, as sysfs shows it.
struct DeviceNodeTests {
    /// A sysfs of one device, number 511:3, below the vDPA device `vdpa0`.
    private final class Sysfs {
        private let folder: TemporaryFolder
        private var root: FilePath { FilePath(folder.path) }
        private var entry: String { root.appending("dev/char/511:3").string }

        init() throws {
            folder = try TemporaryFolder()
            let device = root.appending("devices/vdpa0/vhost-vdpa-3")
            for path in [root.appending("dev/char"), device] {
                try FileManager.default.createDirectory(
                    atPath: path.string, withIntermediateDirectories: true)
            }
            try FileManager.default.createSymbolicLink(atPath: entry, withDestinationPath: device.string)
        }

        func removeDevice() throws { try FileManager.default.removeItem(atPath: entry) }
        func unmount() throws { try FileManager.default.removeItem(atPath: root.string) }
        func node(_ minor: UInt64 = 3) -> DeviceNode { DeviceNode(number: 511 << 8 | minor, sysfs: root) }
    }

    @Test("a device whose entry in sysfs goes away while it is open is gone, and stays gone")
    func removed() throws {
        let sysfs = try Sysfs()
        let node = sysfs.node()
        #expect(!node.isGone)
        try sysfs.removeDevice()
        #expect(node.isGone)
        #expect(node.isGone)
        #expect(node.path == nil)
    }

    @Test("a device that sysfs never showed is not said to be gone")
    func neverVisible() throws {
        let sysfs = try Sysfs()
        #expect(!sysfs.node(4).isGone)
        #expect(!DeviceNode(number: 511 << 8 | 3, sysfs: "/nowhere").isGone)
    }

    @Test("a sysfs that goes away says nothing of the device")
    func unmounted() throws {
        let sysfs = try Sysfs()
        let node = sysfs.node()
        try sysfs.unmount()
        #expect(!node.isGone)
    }

    @Test("minor numbers above a byte stand above the major number")
    func number() throws {
        // 511:259 as makedev(3) packs it.
        let node = DeviceNode(number: 0x11_ff03, sysfs: "/nowhere")
        #expect(node.entryName == "511:259")
    }

    @Test("a file of the kernel's that is open is not gone, and its place is known")
    func kernelFile() throws {
        let file = try KernelFile(anyDevice: "/dev/null")
        #expect(!file.isGone)
        #expect(file.node.path?.lastComponent?.string == "null")
    }
}
