import Synchronization

/// The receive ring in the client's memory, as a break finds it.
struct ReceiveRing {
    private let descriptors: UInt
    private let avail: UInt
    /// What a buffer's address may be: the ring's own page is the client's driver's whole memory.
    private let buffer: UInt64

    /// `nil` where the ring is in no map of the client's.
    init?(_ scene: Scene) {
        guard let ring = scene.rings[0], let descriptors = scene.user(ring.descriptors),
            let avail = scene.user(ring.avail)
        else { return nil }
        self.descriptors = descriptors
        self.avail = avail
        buffer = ring.descriptors / 4096 * 4096 + 2048
    }

    /// The driver has made no chain available (virtio 1.2, section 2.7.6: `idx` starts at 0).
    var isEmpty: Bool { unsafe pointer(avail).load(fromByteOffset: 2, as: UInt16.self) == 0 }

    /// Makes one chain of 256 writable bytes available, as only the driver may (section 2.7.5).
    func offerBuffer() {
        unsafe pointer(descriptors).storeBytes(of: buffer, as: UInt64.self)
        unsafe pointer(descriptors).storeBytes(of: 256, toByteOffset: 8, as: UInt32.self)
        unsafe pointer(descriptors).storeBytes(of: 2, toByteOffset: 12, as: UInt16.self)
        unsafe pointer(avail).storeBytes(of: 0, toByteOffset: 4, as: UInt16.self)
        let index = unsafe pointer(avail + 2).assumingMemoryBound(to: Atomic<UInt16>.self)
        unsafe index.pointee.store(1, ordering: .releasing)
    }

    private func pointer(_ address: UInt) -> UnsafeMutableRawPointer {
        guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address) else {
            preconditionFailure("a ring at 0")
        }
        return unsafe pointer
    }
}
