internal import GuestMemory
internal import VhostVDPA
internal import VirtQueue
internal import Virtio

/// How a device ran before it was reset: whether its rings can be recovered at all.
struct RingHistory {
    /// The features that it ran with.
    let features: VirtioFeatures
    /// Whether it had asked for a reset.
    let needsReset: Bool
}

/// What guest memory says of the rings of a device that is reset and was not asked where it stood.
struct RingRecovery {
    let mapper: MemoryMapper
    let history: RingHistory

    /// Where the ring of `queue` goes on.
    func base(of queue: VringSetup) throws(BackendError) -> VringBase {
        guard !history.needsReset else {
            throw BackendError(
                .ringNotRecoverable,
                "queue \(queue.index): the device had asked for a reset, and nothing that it wrote counts;"
                    + " start the ring over empty"
            )
        }
        guard !history.features.contains(.packedRing) else {
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
