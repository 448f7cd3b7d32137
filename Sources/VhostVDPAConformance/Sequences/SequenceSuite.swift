internal import SystemPackage

/// Random sequences on one kind of device, each on a fresh one, compared step by step with ``SequenceOracle``.
package struct SequenceSuite {
    /// What a device's answer, or its views, should have been.
    package struct Failure: Error, Hashable, Sendable {
        /// The seed that the sequence comes from.
        package var seed: UInt64
        /// The steps, as few as show it.
        package var operations: [SequenceOperation]
        /// The step that differs; the number of steps where it is the close at the end.
        package var step: Int
        package var expected: String
        package var seen: String
    }

    /// How many steps a sequence has.
    package static let length = 50

    private let profile: MapProfile
    private let makeOpener: () throws -> DeviceOpener
    /// Whether somebody asks to end: asked before every sequence, also while one is shrunk.
    let isInterrupted: () -> Bool
    private let memory: [SequenceOperation.Memory: TestPages]

    /// Sequences for devices that `makeOpener` makes, each with an interior, and that are as `profile` says.
    package init(
        profile: MapProfile, isInterrupted: @escaping () -> Bool = { false },
        makeOpener: @escaping () throws -> DeviceOpener
    ) throws {
        self.profile = profile
        self.makeOpener = makeOpener
        self.isInterrupted = isInterrupted
        let pages = SequenceOperation.memoryPages
        memory = [
            .shared: try TestPages(pages: pages),
            .privateAnonymous: try TestPages(pages: pages, kind: .privateAnonymous),
            .readOnly: try TestPages(pages: pages, isWritable: false),
        ]
    }

    /// Runs the sequences of `count` seeds from `seed` on, and throws the first failure, shrunk. Calls `progress` with
    /// the number of those that went as they should, after each; fewer than `count` where somebody asked to end.
    package func run(seed: UInt64, count: Int, progress: (Int) -> Void = { _ in }) throws {
        for index in 0..<count {
            guard !isInterrupted() else { return }
            let seed = seed &+ UInt64(index)
            let operations = SequenceOperation.sequence(seed: seed, length: Self.length)
            if let failure = try outcome(of: operations, seed: seed) { throw try shrunk(failure) }
            progress(index + 1)
        }
    }

    /// The first step of `operations` that differs; `nil` where none does.
    func outcome(of operations: [SequenceOperation], seed: UInt64) throws -> Failure? {
        let opener = try makeOpener()
        guard let interior = opener.interior else {
            throw RuleInterruption.notApplicable(reason: "nobody can look inside the device")
        }
        var oracle = SequenceOracle(
            profile: profile, memory: memory.mapValues { UInt64($0.address) },
            pageSize: UInt64(TestPages.pageSize), origin: 0)
        var client = try RuleClient.owned(opener)
        defer { client.close() }
        for (step, operation) in operations.enumerated() {
            let answer = oracle.perform(operation)
            let seen = try perform(operation, &client, opener)
            func failure(_ expected: String, _ seen: String) -> Failure {
                Failure(
                    seed: seed, operations: operations, step: step, expected: expected, seen: seen)
            }
            if let seen, seen != answer.errno { try requireAnswer(operation.description, seen) }
            guard seen == answer.errno else { return failure(name(answer.errno), name(seen)) }
            let inside = interior()
            guard inside == oracle.interior else { return failure("\(oracle.interior)", "\(inside)") }
            let agree = inside.vhost.allSatisfy { inside.device[Int($0.key)].entries == $0.value }
            guard agree || oracle.difference != nil else {
                return failure("the same maps in the device as in vhost-vdpa", "\(inside)")
            }
        }
        client.close()
        let left = interior()
        guard left.vhost.isEmpty, left.pinnedPages == 0, !left.isOpen else {
            return Failure(
                seed: seed, operations: operations, step: operations.count,
                expected: "nothing left after the close", seen: "\(left)")
        }
        return nil
    }

    private func perform(
        _ operation: SequenceOperation, _ client: inout RuleClient, _ opener: DeviceOpener
    ) throws -> Errno? {
        let page = UInt64(TestPages.pageSize)
        switch operation {
        case .update(let space, let at, let count, let offset, let access, let kind):
            let user = (memory[kind]?.address ?? 0) + UInt(offset * page)
            return client.send(
                .update, iova: at * page, size: count * page, user: user, permission: access, asid: space)
        case .invalidate(let space, let at, let count):
            return client.send(.invalidate, iova: at * page, size: count * page, asid: space)
        case .invalidateEverything(let space): return client.send(.invalidate, asid: space)
        case .beginBatch(let space): return client.send(.batchBegin, asid: space)
        case .endBatch(let space): return client.send(.batchEnd, asid: space)
        case .acknowledge(let persist, let addressSpaces):
            return client.acknowledge(
                (persist ? 1 << BackendBit.persist : 0) | (addressSpaces ? 1 << BackendBit.addressSpaces : 0))
        case .reset: return client.setStatus(0)
        case .start:
            // Without ACCESS_PLATFORM vp_vdpa's FEATURES_OK does not stick. A device that runs has it already: EBUSY.
            _ = client.call(Request.setFeatures, UInt64(1 << 32 | 1 << 33))
            return client.setStatus(0xf)
        case .suspend: return client.call(Request.suspend)
        case .setGroup(let space): return client.setVring(Request.setGroupASID, 0, space)
        case .reopen:
            client.close()
            client = try RuleClient.owned(opener)
            return nil
        }
    }
}

extension RuleClient {
    /// Opens the device and owns it.
    fileprivate static func owned(_ opener: DeviceOpener) throws -> RuleClient {
        let client = RuleClient(try opener.open())
        try expect("SET_OWNER", client.call(Request.setOwner))
        return client
    }
}

extension SequenceOracle.Answer {
    fileprivate var errno: Errno? {
        switch self {
        case .success: nil
        case .badAddress: .badAddress
        case .invalidArgument: .invalidArgument
        case .busy: .resourceBusy
        case .notSupported: .operationNotSupported
        }
    }
}
