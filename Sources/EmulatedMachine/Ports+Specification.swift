internal import VirtioNet

extension WirePort {
    /// The wire that a specification names, with room for `queuePairs`.
    init(_ specification: PortSpecification, queuePairs: Int) throws(MachineError) {
        switch specification {
        case .loopback: self = .loopback
        case .none: self = .none
        case .tap(let name, let namespace): self = .tap(try makeTAP(name, namespace, queuePairs))
        case .generator:
            throw .unsupported(
                "--wire generator: a generator is a guest's port; use --wire loopback, tap:NAME or none")
        }
    }
}

extension GuestPort {
    /// The guest's port that a specification names, with room for `queuePairs`.
    init(_ specification: PortSpecification, queuePairs: Int) throws(MachineError) {
        switch specification {
        case .generator: self = .generator
        case .none: self = .none
        case .tap(let name, let namespace): self = .tap(try makeTAP(name, namespace, queuePairs))
        case .loopback:
            throw .unsupported(
                "--guest loopback: a loopback is a wire's port; use --guest generator, tap:NAME or none")
        }
    }
}

private func makeTAP(_ name: String, _ namespace: String?, _ queuePairs: Int) throws(MachineError)
    -> TAPDevice
{
    do throws(PortError) {
        return try TAPDevice(name: name, namespace: namespace, hasSeveralQueues: queuePairs > 1)
    } catch {
        throw .port(error)
    }
}
