package import LinuxHost
package import VirtQueue
package import Virtio
package import VirtioDevice

/// The calls over ranges, for one queue that goes by its number and position.
extension DataPath {
    package func startQueue(
        _ index: Int, layout: RingLayout, features: VirtioFeatures, base: UInt16, call: SharedEventFD? = nil
    ) {
        let state = QueueState.split(nextAvail: base)
        start([QueueSetup(queue: index, layout: layout, features: features, state: state, call: call)])
    }

    package func stopQueue(_ index: Int) -> UInt16 { stop(index..<index + 1)[0].base.availIndex }

    package func kick(_ index: Int) { kick(index..<index + 1) }
}
