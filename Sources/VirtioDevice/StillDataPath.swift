package import GuestMemory
package import LinuxHost
package import VirtQueue
package import Virtio

/// A data path that moves nothing: for a device that is only asked about its maps, without a worker.
package final class StillDataPath: DataPath {
    package init() {}

    package func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {}
    package func startQueue(_ index: Int, layout: RingLayout, features: VirtioFeatures, base: UInt16) {}
    package func stopQueue(_ index: Int) -> UInt16 { 0 }
    package func position(of index: Int) -> UInt16 { 0 }
    package func bindKick(_ kick: SharedEventFD?, queue: Int) {}
    package func bindCall(_ call: SharedEventFD?, queue: Int) {}
    package func kick(_ queue: Int) {}
    package func shutdown() {}
}
