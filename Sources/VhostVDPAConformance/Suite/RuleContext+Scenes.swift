/// Where rules with traffic begin.
extension RuleContext {
    /// A client that owns the device, and a driver whose page it has mapped.
    func mapped(
        acknowledging features: UInt64? = nil
    ) throws(RuleInterruption) -> (client: RuleClient, rig: NetworkRig) {
        let client = try owned(acknowledging: features)
        let rig = try rig()
        try expect("UPDATE", rig.map(client))
        return (client, rig)
    }

    /// The same, with the device started and seen to take a frame.
    func running(
        acknowledging features: UInt64? = nil
    ) throws(RuleInterruption) -> (client: RuleClient, rig: NetworkRig) {
        let (client, rig) = try mapped(acknowledging: features)
        try rig.start(client)
        try rig.expectTraffic("started")
        return (client, rig)
    }

    /// A status reset and a new start, without a word about maps.
    func restart(_ client: RuleClient, _ rig: NetworkRig) throws(RuleInterruption) {
        try expect("reset", client.setStatus(0))
        try rig.start(client)
    }
}
