public import CRing
import Glibc
import GuestMemory
import Virtio

#if !WITHIN_MODULE
    import VirtQueue
#endif

/// Carries `rounds` full rings of chains of one readable buffer of `payload` bytes: what `ring_run_c` does.
public func runRing(_ arena: ring_arena, payload: UInt32, rounds: Int) -> ring_times {
    do {
        return try unsafe run(arena, payload, rounds)
    } catch {
        fatalError("\(error)")
    }
}

private func run(_ arena: ring_arena, _ payload: UInt32, _ rounds: Int) throws -> ring_times {
    func entry(_ address: UInt64, _ byteCount: Int, _ host: UnsafeMutableRawPointer) -> TranslationEntry? {
        AddressRange(first: IOVirtualAddress(rawValue: address), byteCount: ByteCount(byteCount)).map {
            TranslationEntry(
                range: $0, host: HostAddress(rawValue: UInt64(UInt(bitPattern: host))), access: .readWrite)
        }
    }
    var translation = unsafe TranslationTable(
        [
            entry(arena.ring_iova, arena.ring_bytes, arena.ring),
            entry(arena.buffers_iova, arena.buffer_bytes, arena.buffers),
        ].compactMap { $0 })
    let layout = try RingGeometry(size: arena.size).layout(
        at: IOVirtualAddress(rawValue: arena.ring_iova))
    var driver = try unsafe SplitDriverQueue(size: arena.size, features: .eventIndex, memory: arena.ring)
    var device = try SplitDeviceQueue(
        layout: layout, features: .eventIndex, state: .split(nextAvail: 0), translation: &translation)
    var segments = SegmentBuffer(capacity: 64)
    var times = ring_times()
    for round in 0..<rounds {
        let start = ring_now()
        unsafe fill(&driver, arena, payload, UInt32(truncatingIfNeeded: round))
        let filled = ring_now()
        let chains = try unsafe serve(&device, &translation, &segments, arena.sink)
        let served = ring_now()
        let sum = try reap(&driver)
        let end = ring_now()
        times.driver_ns += filled - start + end - served
        times.device_ns += served - filled
        times.chains += UInt64(chains)
        times.checksum += sum
    }
    return times
}

@inline(never)
private func serve(
    _ device: inout SplitDeviceQueue, _ translation: inout TranslationTable, _ segments: inout SegmentBuffer,
    _ sink: UnsafeMutableRawPointer
) throws(VirtQueueError) -> Int {
    var chains = 0
    while let chain = try device.pop(into: &segments, translation: &translation) {
        for index in 0..<chain.readableCount {
            let segment = unsafe segments.base[chain.readableStart &+ index]
            unsafe memcpy(sink, segment.iov_base, segment.iov_len)
        }
        device.complete(chain.handle, byteCount: chain.writableBytes)
        segments.removeAll()
        chains &+= 1
    }
    _ = device.publish()
    return chains
}

@inline(never)
private func fill(
    _ driver: inout SplitDriverQueue, _ arena: ring_arena, _ payload: UInt32, _ number: UInt32
) {
    guard let buffers = unsafe UnsafeMutableRawPointer(arena.buffers) else { return }
    let address = unsafe arena.buffers_iova
    let stride = unsafe arena.stride
    var token: UInt32 = 0
    while true {
        let offset = stride &* Int(token)
        let segment = DriverSegment(
            address: IOVirtualAddress(rawValue: address &+ UInt64(truncatingIfNeeded: offset)),
            byteCount: payload)
        guard driver.add(readable: segment, token: token) else { break }
        unsafe (buffers + offset).storeBytes(of: number &+ token, as: UInt32.self)
        token &+= 1
    }
    _ = driver.publish()
}

@inline(never)
private func reap(_ driver: inout SplitDriverQueue) throws(VirtQueueError) -> UInt64 {
    var sum: UInt64 = 0
    while let used = try driver.reap() { sum &+= UInt64(used.token) &+ UInt64(used.byteCount) }
    return sum
}
