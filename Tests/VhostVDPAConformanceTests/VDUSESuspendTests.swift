import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance

/// VDUSE of Linux 7.3, whose process asked for suspends (`VDUSE_F_SUSPEND`).
@Suite("VDUSE of 7.3, suspended")
struct VDUSESuspendTests {
    @Test("Until a reset kicks are dropped, whatever status is set, and RESUME is EOPNOTSUPP")
    func untilReset() throws {
        let stage = try ClientStage("sim,parent=vduse,kernel=7.3")
        let (client, driver) = (stage.client, stage.driver)
        #expect(driver.map(client) == nil)
        try driver.start(client)
        try driver.expectTraffic("running")
        #expect(client.call(Request.suspend) == nil)
        try driver.expectNoTraffic("suspended")
        #expect(client.call(Request.resume) == Errno(rawValue: 95))
        #expect(client.setStatus(0xf) == nil)
        try driver.expectNoTraffic("the status set again")
        #expect(client.setVring(Request.setVringEnable, 1, 0) == nil)
        #expect(client.setVring(Request.setVringEnable, 1, 1) == nil)
        try driver.expectNoTraffic("the queue enabled again")
        #expect(client.getVring(Request.getVringBase, 1) == .success(1))
        #expect(client.setStatus(0) == nil)
        try driver.start(client, goingOnAt: [0, 1])
        try driver.expectNoProgress("started again: the kicks of before are gone")
        driver.kick()
        #expect(try driver.used(waitingFor: 3) == 3)
    }

    @Test("SUSPEND lets a ring's addresses and position change")
    func rings() throws {
        let stage = try ClientStage("sim,parent=vduse,kernel=7.3")
        let (client, driver) = (stage.client, stage.driver)
        #expect(driver.map(client) == nil)
        try driver.start(client)
        #expect(client.setVring(Request.setVringBase, 1, 7) == .invalidArgument)
        #expect(client.call(Request.suspend) == nil)
        #expect(client.setVring(Request.setVringBase, 1, 7) == nil)
        #expect(client.getVring(Request.getVringBase, 1) == .success(7))
    }
}
