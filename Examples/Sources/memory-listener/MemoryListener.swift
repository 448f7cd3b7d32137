import GuestMemory
import Logging
import SimulatedVDPA
import VhostVDPA
import VhostVDPABackend

/// `memory-listener`: a device follows the memory map of a VMM that is not emu's, also while memory is plugged in.
@main
struct MemoryListenerExample {
    static func main() throws {
        let slots = MemorySlots()
        let low = try RAMBlock.allocate(name: "low", byteCount: .mebibytes(16))
        let high = try RAMBlock.allocate(name: "high", byteCount: .mebibytes(32))
        try slots.register(PrintingListener())
        try slots.plug(low, at: 0)

        let backend = try VhostVDPABackend(
            device: SimulatedVDPADevice().open(), addressSpace: slots,
            logger: Logger(label: "memory-listener"))
        report("opened", backend)
        try slots.plug(high, at: 0x1_0000_0000)
        report("plugged", backend)
        backend.close()
        report("closed", backend)
    }

    /// Says what the device has of the VMM's memory.
    static func report(_ moment: String, _ backend: VhostVDPABackend) {
        let sections = backend.mappedSections.map { "\($0.regionName) \($0.range)" }
        print(
            "device \(moment): \(backend.counts.updates) UPDATEs so far,",
            sections.isEmpty ? "no map stands" : "mapped are \(sections.joined(separator: ", "))")
    }
}
