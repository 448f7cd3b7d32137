internal import Logging
internal import VirtioNet

extension WirePort {
    /// The wire that a specification names, with room for `queuePairs`.
    init(_ specification: PortSpecification, queuePairs: Int, logger: Logger) throws(MachineError) {
        switch specification {
        case .loopback: self = .loopback
        case .none: self = .none
        case .tap(let name, let namespace):
            self = .tap(try makeTAP(name, namespace, queuePairs, specification, logger))
        case .generator:
            throw .unsupported(
                "--wire generator: a generator is a guest's port; use --wire loopback, tap:NAME or none")
        }
    }
}

extension GuestPort {
    /// The guest's port that a specification names, with room for `queuePairs`.
    init(_ specification: PortSpecification, queuePairs: Int, logger: Logger) throws(MachineError) {
        switch specification {
        case .generator: self = .generator
        case .none: self = .none
        case .tap(let name, let namespace):
            self = .tap(try makeTAP(name, namespace, queuePairs, specification, logger))
        case .loopback:
            throw .unsupported(
                "--guest loopback: a loopback is a wire's port; use --guest generator, tap:NAME or none")
        }
    }
}

/// Attaches to a TAP, and says where no frame can pass yet.
private func makeTAP(
    _ name: String, _ namespace: String?, _ queuePairs: Int, _ port: PortSpecification, _ logger: Logger
) throws(MachineError) -> TAPDevice {
    do throws(PortError) {
        let device = try TAPDevice(name: name, namespace: namespace, hasSeveralQueues: queuePairs > 1)
        if let notice = port.notice(wasMade: device.wasMade, isUp: device.status?.isUp) {
            logger.warning("\(notice)")
        }
        return device
    } catch {
        throw .port(error)
    }
}

extension PortSpecification {
    /// The command that brings a TAP's interface up; `nil` of another port.
    var commandToBringUp: String? {
        guard case .tap(let name, let namespace) = self else { return nil }
        return "ip \(namespace.map { "-n \($0) " } ?? "")link set \(name) up"
    }

    /// What is to be said of a TAP that has just been attached to: that there was none of its name, or that it is down.
    /// `isUp` is `nil` where the interface cannot be asked.
    package func notice(wasMade: Bool, isUp: Bool?) -> String? {
        guard let command = commandToBringUp, wasMade || isUp == false else { return nil }
        let state =
            wasMade ? "there was no such interface, so it was made, and is down" : "the interface is down"
        return "\(self): \(state): no frame passes until '\(command)'"
    }
}
