/// Where rules with traffic begin.
extension RuleContext {
    /// A client that owns the device, and a driver whose page it has mapped.
    func mapped(
        acknowledging features: UInt64? = nil
    ) throws(RuleInterruption) -> (client: RuleClient, driver: OnePageDriver) {
        let client = try owned(acknowledging: features)
        let driver = try driver()
        try expect("UPDATE", driver.map(client))
        return (client, driver)
    }

    /// The same, with the device started and seen to take a frame.
    func running(
        acknowledging features: UInt64? = nil
    ) throws(RuleInterruption) -> (client: RuleClient, driver: OnePageDriver) {
        let (client, driver) = try mapped(acknowledging: features)
        try driver.start(client)
        try driver.expectTraffic("started")
        return (client, driver)
    }

    /// A status reset and a new start, without a word about maps.
    func restart(_ client: RuleClient, _ driver: OnePageDriver) throws(RuleInterruption) {
        try expect("reset", client.setStatus(0))
        try driver.start(client)
    }
}
