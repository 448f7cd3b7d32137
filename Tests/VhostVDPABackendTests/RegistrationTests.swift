import GuestMemory
import TestSupport
import Testing
import VhostVDPA
import VhostVDPABackend

/// A backend and the memory map that it listens to.
struct RegistrationTests {
    @Test(
        "what the mapper refuses of a memory map is the error of opening, whatever the address space says around it"
    )
    func listenerRefused() {
        let device = RecordingDevice()
        device.iovaRange = (0, 0xffff)
        let addressSpace = FakeAddressSpace()
        let error = #expect(throws: BackendError.self) {
            _ = try Harness(device, addressSpace: addressSpace)
        }
        #expect(error?.code == .sectionOutsideRange)
        #expect(error?.message.contains("a listener refused") == false)
        #expect(device.isClosed)
        #expect(addressSpace.listener == nil)
    }

    @Test("an address space that refuses for a reason of its own is named, and the device is closed")
    func refused() {
        let device = RecordingDevice()
        let addressSpace = FakeAddressSpace()
        addressSpace.refusal = GuestMemoryError(code: .invalidTopology, context: "no listener today")
        let error = #expect(throws: BackendError.self) {
            _ = try Harness(device, addressSpace: addressSpace)
        }
        #expect(error?.code == .registrationFailed)
        #expect(error?.message.contains("no listener today") == true)
        #expect(device.isClosed)
        #expect(device.table == [])
    }

    @Test("closing gives back a registration that was made, and touches no other listener's")
    func close() throws {
        let addressSpace = FakeAddressSpace()
        let harness = try Harness(addressSpace: addressSpace)
        let other = RecordingDevice()
        other.iovaRange = (0, 0xffff)
        #expect(throws: BackendError.self) {
            _ = try VhostVDPABackend(
                device: other, addressSpace: RefusingSpace(addressSpace), configuration: .init(),
                limits: .stub(), logger: .quiet)
        }
        #expect(addressSpace.listener != nil)
        harness.backend.close()
        #expect(addressSpace.listener == nil)
    }

    /// An address space that takes no further listener.
    private final class RefusingSpace: MemoryListenerRegistry {
        private let inner: FakeAddressSpace
        init(_ inner: FakeAddressSpace) { self.inner = inner }
        func register(_ listener: any MemoryListener) throws(GuestMemoryError) {
            throw GuestMemoryError(code: .invalidTopology, context: "one listener is enough")
        }
        func unregister(_ listener: any MemoryListener) throws(GuestMemoryError) {
            try inner.unregister(listener)
        }
    }
}
