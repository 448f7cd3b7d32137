internal import GuestMemory
internal import VhostVDPA
internal import VirtQueue
internal import Virtio

/// What guest memory says of the rings of a device that is reset and was not asked where it stood.
struct RingRecovery {
    let mapper: MemoryMapper
    /// The features that the device ran with.
    let features: VirtioFeatures

    /// Where the ring of `queue` goes on.
    func base(of queue: VringSetup) throws(BackendError) -> VringBase {
        guard !features.contains(.packedRing) else {
            throw BackendError(
                .ringNotRecoverable,
                "queue \(queue.index): nothing in memory says where a packed ring goes on; start it over empty"
            )
        }
        let used = queue.layout.addresses.deviceArea
        // The index is the second half of the ring's first four bytes.
        guard let range = IOVARange(first: used, byteCount: ByteCount(4)),
            let host = mapper.writableHost(of: range), let index = unsafe UsedIndex(usedRing: host)
        else {
            throw BackendError(
                .ringNotRecoverable,
                "queue \(queue.index): the used ring at \(used) is not memory that the device can write;"
                    + " start it over empty")
        }
        return QueueState.recovered(from: index).base
    }
}
