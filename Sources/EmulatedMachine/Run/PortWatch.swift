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
    /// gives what it sends; the wire's takes what the device sends. `hasMoved` is asked of the port of each.
    package mutating func newRefusals(
        in accounts: [QueueAccount], hasMoved: (PortSpecification) -> Bool = \.hasMoved
    ) -> [PortRefusal] {
        accounts.flatMap { account in
            [(guest, account.driver.lastRefusal), (wire, account.device?.lastRefusal ?? 0)]
                .filter { $0.1 != 0 }.map { PortRefusal(port: $0.0, errno: $0.1) }
        }.filter { said.insert($0).inserted }
            .map { PortRefusal(port: $0.port, errno: $0.errno, hasMoved: hasMoved($0.port)) }
    }

    /// The ports of refusals whose interface is no longer where they name it.
    package func moved(hasMoved: (PortSpecification) -> Bool = \.hasMoved) -> [PortSpecification] {
        [guest, wire].filter { port in said.contains { $0.port == port } && hasMoved(port) }
    }
}
