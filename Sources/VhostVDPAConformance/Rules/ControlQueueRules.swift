internal import GuestMemory
internal import SystemPackage
internal import VirtQueue

/// Rule 70.
enum ControlQueueRules {
    static let all: [Rule] = [
        Rule(
            70, .controlQueue,
            "MAC_ADDR_SET is acknowledged and changes the configuration; another class is refused",
            needs: [.traffic, .simulatorNetwork], source: "vdpasim_handle_cvq"
        ) { device in
            let (client, driver) = try device.mapped()
            let kick = try EventCounter()
            var queue = try controlQueue(driver)
            try driver.start(
                client,
                beforeDriverOK: { (driver) throws(RuleInterruption) in
                    try driver.setUp(client, queue: 2, ring: driver.iova + UInt64(OnePageDriver.controlRing))
                    try expect(
                        "SET_VRING_KICK 2",
                        client.setVring(Request.setVringKick, 2, file: kick.descriptor.rawValue))
                    try driver.enable(client, queue: 2, 1)
                })
            let mac: [UInt8] = [0x52, 0x54, 0, 0xca, 0xfe, 0x01]
            let before = try value("GET_CONFIG", client.getConfiguration(offset: 0, length: 6))
            try command([1, 1] + mac, on: &queue, driver, kick, expecting: 0, "class 1, command 1")
            try expect(
                "the MAC", client.getConfiguration(offset: 0, length: 6), equals: .success(mac))
            try command([1, 1] + before, on: &queue, driver, kick, expecting: 0, "class 1, command 1")
            try command([0x77, 0], on: &queue, driver, kick, expecting: 1, "class 0x77")
        }
    ]

    private static func controlQueue(_ driver: OnePageDriver) throws(RuleInterruption) -> SplitDriverQueue {
        do throws(VirtQueueError) {
            return try unsafe SplitDriverQueue(
                size: OnePageDriver.size, features: [], memory: driver.page.pointer(OnePageDriver.controlRing)
            )
        } catch {
            throw .notAsked(reason: "no ring: \(error)")
        }
    }

    private static func command(
        _ bytes: [UInt8], on queue: inout SplitDriverQueue, _ driver: OnePageDriver, _ kick: EventCounter,
        expecting acknowledgement: UInt8, _ title: String
    ) throws(RuleInterruption) {
        driver.page.store(bytes, at: OnePageDriver.controlCommand)
        driver.page.store([0xff], at: OnePageDriver.controlAnswer)
        let added = queue.add(
            readable: DriverSegment(
                address: IOVirtualAddress(rawValue: driver.iova + UInt64(OnePageDriver.controlCommand)),
                byteCount: UInt32(bytes.count)),
            writable: DriverSegment(
                address: IOVirtualAddress(rawValue: driver.iova + UInt64(OnePageDriver.controlAnswer)),
                byteCount: 1
            ), token: 0)
        try expect("room in the control queue", added, equals: true)
        _ = queue.publish()
        kick.signal()
        for _ in 0..<1000 where !queue.hasUsed() { driver.pause() }
        let used: UsedChain?
        do throws(VirtQueueError) {
            used = try queue.reap()
        } catch {
            throw .failed(expected: "\(title): a used ring that can be", seen: "\(error)")
        }
        try expect("\(title): used", used != nil, equals: true)
        try expect(
            "\(title): acknowledgement", driver.page.byte(at: OnePageDriver.controlAnswer),
            equals: acknowledgement)
    }
}
