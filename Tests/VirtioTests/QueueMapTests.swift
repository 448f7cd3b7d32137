import Testing

@testable import Virtio

/// Where a device's queues are (virtio 1.2, sections 5.1.2 and 5.2.2).
@Suite struct QueueMapTests {
    private static let maps: [QueueMap] = [
        .network(pairs: 1, hasControlQueue: false), .network(pairs: 1, hasControlQueue: true),
        .network(pairs: 4, hasControlQueue: false), .network(pairs: 4, hasControlQueue: true),
        .requests(1), .requests(3),
    ]

    @Test("A network device's queues receive and transmit by turns, and the last controls")
    func network() {
        let roles: [QueueRole] = [.receive(0), .transmit(0), .receive(1), .transmit(1), .control]
        let map = QueueMap.network(pairs: 2, hasControlQueue: true)
        #expect(map.count == 5 && map.pairs == 2)
        #expect((0..<map.count).map(map.role) == roles)
        let plain = QueueMap.network(pairs: 2, hasControlQueue: false)
        #expect(plain.count == 4)
        #expect((0..<plain.count).map(plain.role) == Array(roles.dropLast()))
    }

    @Test("A device of requests has nothing else")
    func requests() {
        let map = QueueMap.requests(3)
        #expect(map.count == 3 && map.pairs == 0 && map.frameQueues.isEmpty)
        #expect((0..<3).map(map.role) == [.request(0), .request(1), .request(2)])
    }

    @Test("A queue's role leads back to the queue", arguments: maps)
    func inverse(map: QueueMap) {
        for queue in 0..<map.count { #expect(map.queue(map.role(of: queue)) == queue) }
    }

    @Test("A role that no queue has leads to none", arguments: maps)
    func absent(map: QueueMap) {
        for role in [.receive(-1), .receive(map.pairs), .transmit(-1), .transmit(map.pairs)] as [QueueRole] {
            #expect(map.queue(role) == nil)
        }
        #expect((map.queue(.control) == nil) == (map.pairs == 0 || map.count == 2 * map.pairs))
        #expect(map.queue(.request(-1)) == nil && map.queue(.request(map.count)) == nil)
        if map.pairs > 0 { #expect(map.queue(.request(0)) == nil) }
    }

    @Test(
        "The pairs are all queues that carry frames, each pair its receive and its transmit queue",
        arguments: maps)
    func pairs(map: QueueMap) {
        #expect((0..<map.pairs).flatMap { Array(map.pair($0)) } == Array(map.frameQueues))
        for number in 0..<map.pairs {
            #expect(map.pair(number).map(map.role) == [.receive(number), .transmit(number)])
        }
    }
}
