import GuestMemory
import TestSupport
import Testing
import VirtQueue

@testable import VirtioNet

/// Accounts of a driver and a device that loops frames back, with and without ring positions across stops.
@Suite("The account of a loop", .timeLimit(.minutes(15)))
struct LoopbackAccountTests {
    @Test(
        "balances on both sides and in the ring, and agrees with the generator",
        arguments: [1, 64, 256] as [UInt16])
    func balances(queueSize: UInt16) throws {
        let pair = try TestPair(queueSize: queueSize)
        try pair.start()
        pair.driver.startTraffic(limit: 3000)
        #expect(pair.awaitReceived(3000))
        _ = pair.stop()
        pair.driver.synchronise()
        let accounts = pair.accounts
        for account in accounts { #expect(account.balances, "\(account)") }
        #expect(accounts[1].driver.entered == 3000 && accounts[1].driver.left == 3000)
        #expect(accounts[1].device?.left == 3000 && accounts[0].device?.entered == 3000)
        #expect(accounts[0].driver.left == 3000)
    }

    @Test("frames in rings that start over stand in it as abandoned, however often that happens")
    func startingOver() throws {
        let pair = try TestPair()
        try pair.start()
        pair.driver.startTraffic()
        for cycle in 1...20 as ClosedRange<UInt64> {
            #expect(pair.awaitReceived(cycle * 300))
            _ = pair.stop()
            // Until the transmit ring has frames that no device will take.
            #expect(
                eventually {
                    pair.driver.synchronise()
                    return pair.driver.account(1).pending > 0
                })
            try pair.driver.reinitialise(pair.configuration)
            try pair.start()
        }
        pair.driver.stopTraffic()
        _ = pair.stop()
        pair.driver.synchronise()
        for account in pair.accounts { #expect(account.balances, "\(account)") }
        let driver = pair.driver.account(1)
        #expect(driver.abandoned >= 20)
        #expect(driver.abandoned == pair.driver.counters.frames.abandoned)
        #expect(driver.entered == pair.driver.counters.frames.sent)
    }
}
