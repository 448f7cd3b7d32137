internal import GuestMemory
internal import SimulatedVDPA
internal import SystemPackage
internal import VirtQueue
internal import Virtio
internal import VirtioNet

/// A data path that moves nothing: for a device that is only asked about its maps, without a worker.
final class StillDataPath: DataPath {
    func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {}
    func startQueue(_ index: Int, layout: RingLayout, features: VirtioFeatures, base: UInt16) {}
    func stopQueue(_ index: Int) -> UInt16 { 0 }
    func position(of index: Int) -> UInt16 { 0 }
    func setKick(_ descriptor: FileDescriptor?, queue: Int) {}
    func setCall(_ descriptor: FileDescriptor?, queue: Int) {}
    func kick(_ queue: Int) {}
    func shutdown() {}
}
