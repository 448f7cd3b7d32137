import GuestMemory
import SystemPackage
import TestSupport
import Testing
import VhostVDPA

extension RealDevice {
    /// What becomes of a device's maps in a reset, without the backend's precautions.
    ///
    /// The page's I/O address is chosen so that a device that has lost its maps does no harm. On Linux 6.7 and
    /// later it is left with every address mapped to itself: to the same physical address, or to the same
    /// virtual one with use_va. So the address is that of a second page of ours, the decoy, which then shows it.
    @Suite("Maps of a real device")
    struct Maps {
        private let kernel: KernelDevice
        private let page: RingPage
        private let decoy: RingPage

        init() throws {
            kernel = try .underTest()
            page = try RingPage("page")
            decoy = try RingPage("decoy")
        }

        /// Where the decoy is mapped too, which pins it in its place.
        private static let decoyAddress: UInt64 = 0x1000

        @Test(
            "survive a reset with PERSIST; without it the simulator loses them, an IOMMU does not",
            arguments: [true, false])
        func reset(persists: Bool) throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let device = try TransmitDevice(persists: persists)
                #expect(device.offered.contains(.iotlbPersist) == kernel.hasPersistence)
                let address = try mapPages(device)
                try device.start(page, at: address)
                #expect(moves(device, address))

                try device.reset()
                try device.start(page, at: address)
                let isPromised = persists && kernel.hasPersistence
                if isPromised || kernel.parent != .simulator {
                    #expect(moves(device, address), "the maps are gone")
                    #expect(decoy.usedCount == 0)
                } else {
                    decoy.clear()
                    decoy.transmit(from: address)
                    page.transmit(from: address)
                    device.signal()
                    if kernel.hasPersistence {
                        #expect(eventually { decoy.usedCount == 1 }, "addresses do not stand for themselves")
                    } else {
                        // Nothing tells of a device that finds nothing at all: look for a while.
                        _ = eventually(looks: 3000) { page.usedCount != 0 }
                        #expect(decoy.usedCount == 0)
                    }
                    #expect(page.usedCount == 0, "the maps are there")
                }
            }
        }

        @Test(
            "cannot be made again before they are removed, whether the device has them or not",
            arguments: [true, false])
        func remap(persists: Bool) throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let device = try TransmitDevice(persists: persists)
                let address = try mapPages(device)
                try device.start(page, at: address)
                #expect(moves(device, address))
                try device.reset()

                let error = #expect(throws: VhostVDPAError.self) { try device.map(page, at: address) }
                #expect(error?.errno == .badAddress)
                try device.unmap(page, at: address)
                try device.map(page, at: address)
                try device.start(page, at: address)
                #expect(moves(device, address))
            }
        }

        /// Maps the page where the decoy really is, and the decoy elsewhere. Returns the page's address.
        private func mapPages(_ device: TransmitDevice) throws -> UInt64 {
            try device.map(decoy, at: Self.decoyAddress)
            let address =
                kernel.usesVirtualAddresses
                ? decoy.block.hostRange.first.rawValue : try decoy.physicalAddress()
            try device.map(page, at: address)
            return address
        }

        /// Whether the device takes a frame from the page.
        private func moves(_ device: TransmitDevice, _ address: UInt64) -> Bool {
            let target = page.usedCount &+ 1
            page.transmit(from: address)
            device.signal()
            return eventually { page.usedCount == target }
        }
    }
}
