import Glibc
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance

/// What `mmap(2)` of a doorbell gives where the parent has one for itself on a page.
@Suite("Doorbells that can be mapped")
struct DoorbellTests {
    static let devices = ["sim,parent=stateful", "sim,parent=mlx5"]

    /// The doorbell of a queue, mapped for a driver.
    @safe private final class Doorbell {
        private let page: UnsafeMutableRawPointer

        init(_ stage: ClientStage, queue: Int) throws {
            unsafe page = try stage.client.callee.map(
                length: TestPages.pageSize, protection: PROT_WRITE, flags: MAP_SHARED,
                offset: queue * TestPages.pageSize)
        }

        deinit { unsafe munmap(page, TestPages.pageSize) }

        func ring(_ queue: UInt16) { unsafe page.storeBytes(of: queue, as: UInt16.self) }
    }

    @Test("A write to the page kicks its queue, also the number 0, again and again", arguments: devices)
    func kicks(_ specification: String) throws {
        let stage = try ClientStage(specification)
        let (client, driver) = (stage.client, stage.driver)
        let receive = try Doorbell(stage, queue: 0)
        let transmit = try Doorbell(stage, queue: 1)
        #expect(driver.map(client) == nil)
        try driver.start(client)
        receive.ring(0)
        for frame in 1...5 {
            driver.post()
            transmit.ring(1)
            try driver.expectProgress("frame \(frame)")
        }
    }

    @Test("A write is seen by the device itself, without anybody asking", arguments: devices)
    func isSeen(_ specification: String) throws {
        let stage = try ClientStage(specification, waiting: true)
        let (client, driver) = (stage.client, stage.driver)
        let transmit = try Doorbell(stage, queue: 1)
        #expect(driver.map(client) == nil)
        try driver.start(client)
        try driver.expectTraffic("kicked by its eventfds")
        for frame in 1...3 {
            driver.post()
            transmit.ring(1)
            try driver.expectProgress("frame \(frame)")
        }
    }

    @Test(
        "A write before the start, or while the queue is off, is no kick for what comes after",
        arguments: devices)
    func isLost(_ specification: String) throws {
        let stage = try ClientStage(specification)
        let (client, driver) = (stage.client, stage.driver)
        let transmit = try Doorbell(stage, queue: 1)
        #expect(driver.map(client) == nil)
        transmit.ring(1)
        try driver.start(client) { driver in
            driver.post()
            transmit.ring(1)
        }
        try driver.expectNoProgress("rung before DRIVER_OK")
        try driver.expectTraffic("kicked")
        #expect(client.setVring(Request.setVringEnable, 1, 0) == nil)
        driver.post()
        transmit.ring(1)
        #expect(client.setVring(Request.setVringEnable, 1, 1) == nil)
        try driver.expectNoProgress("rung while it was off")
        transmit.ring(1)
        try driver.expectProgress("rung")
    }

    @Test(
        "A close lets go of the page, which stays memory: what is written then kicks nobody",
        arguments: devices)
    func close(_ specification: String) throws {
        let stage = try ClientStage(specification)
        let old = try Doorbell(stage, queue: 1)
        try stage.reopen()
        let (client, driver) = (stage.client, stage.driver)
        #expect(driver.map(client) == nil)
        try driver.start(client)
        try driver.expectTraffic("kicked")
        driver.post()
        old.ring(1)
        try driver.expectNoProgress("a doorbell of the file that is closed")
        let new = try Doorbell(stage, queue: 1)
        new.ring(1)
        try driver.expectProgress("a doorbell of its own")
    }
}
