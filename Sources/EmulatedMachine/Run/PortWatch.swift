package import VirtioNet

/// Watches the ports of a machine for what they refuse, and says each reason once.
package struct PortWatch {
    private let guest: PortSpecification
    private let wire: PortSpecification
    private var said: Set<PortRefusal> = []

    package init(guest: PortSpecification, wire: PortSpecification) {
        self.guest = guest
        self.wire = wire
    }

    /// The refusals that `accounts` tells of for the first time: the guest's port takes what the driver has received, and
    /// gives what it sends; the wire's takes what the device sends.
    package mutating func newRefusals(in accounts: [QueueAccount]) -> [PortRefusal] {
        accounts.flatMap { account in
            [(guest, account.driver.lastRefusal), (wire, account.device?.lastRefusal ?? 0)]
                .filter { $0.1 != 0 }.map { PortRefusal(port: $0.0, errno: $0.1) }
        }.filter { said.insert($0).inserted }
    }
}
