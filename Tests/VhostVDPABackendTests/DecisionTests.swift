import Testing
import VhostVDPA
import VhostVDPABackend

struct DecisionTests {
    /// Every input there is: two facts, with and without the bit, 5 reasons, 3 policies.
    static let allInputs: [MapDecisionInput] = {
        var inputs: [MapDecisionInput] = []
        let flags = [true, false]
        for persist in flags {
            for owner in flags {
                for mapError in flags {
                    for reason in ResetReason.allCases {
                        for policy in PersistPolicy.allCases {
                            inputs.append(
                                MapDecisionInput(
                                    acknowledged: persist ? [.iotlbBatch, .iotlbPersist] : [.iotlbBatch],
                                    isOwner: owner, hadMapError: mapError, reason: reason, policy: policy))
                        }
                    }
                }
            }
        }
        return inputs
    }()

    /// The conditions of QEMU's series for IOTLB_PERSIST that can fail here, each on its own.
    private static func mayBeKept(_ input: MapDecisionInput) -> Bool {
        input.isOwner && !input.hadMapError && input.reason != .close && input.reason != .failedStart
            && input.policy != .off
    }

    @Test("maps are kept on the kernel's promise exactly when every condition holds")
    func keep() {
        #expect(Self.allInputs.count == 8 * 5 * 3)
        for input in Self.allInputs {
            let isKept = MapDecision.decide(input) == .keep
            #expect(
                isKept == (Self.mayBeKept(input) && input.acknowledged.contains(.iotlbPersist)), "\(input)")
        }
    }

    @Test("without the promise maps are kept only by force, and force overrides nothing else")
    func force() {
        for input in Self.allInputs {
            let isKept = MapDecision.decide(input) == .keepWithoutPromise
            let expected =
                Self.mayBeKept(input) && !input.acknowledged.contains(.iotlbPersist) && input.policy == .force
            #expect(isKept == expected, "\(input)")
        }
    }

    @Test(
        "each condition alone flushes, and is the cause reported",
        arguments: [
            (.closing, { @Sendable in $0.reason = .close }),
            (.startFailed, { @Sendable in $0.reason = .failedStart }),
            (.ownerChanged, { @Sendable in $0.isOwner = false }),
            (.mapError, { @Sendable in $0.hadMapError = true }),
            (.switchedOff, { @Sendable in $0.policy = .off }),
            (.persistNotAcknowledged, { @Sendable in $0.acknowledged = [.iotlbBatch] }),
        ] as [(MapFlushCause, @Sendable (inout MapDecisionInput) -> Void)])
    func cause(expected: MapFlushCause, change: @Sendable (inout MapDecisionInput) -> Void) {
        var input = MapDecisionInput(
            acknowledged: [.iotlbPersist], isOwner: true, hadMapError: false, reason: .stop, policy: .auto)
        #expect(MapDecision.decide(input) == .keep)
        change(&input)
        #expect(MapDecision.decide(input) == .flush(expected))
    }

    @Test(
        "a mapping state changes only along its arrows",
        arguments: [
            (.unmapped, .map, .mapped), (.unmapped, .keep, nil), (.unmapped, .reuse, nil),
            (.unmapped, .flush, .unmapped),
            (.mapped, .map, nil), (.mapped, .keep, .kept), (.mapped, .reuse, .mapped),
            (.mapped, .flush, .unmapped),
            (.kept, .map, nil), (.kept, .keep, .kept), (.kept, .reuse, .mapped), (.kept, .flush, .unmapped),
        ] as [(MappingState, MappingState.Event, MappingState?)])
    func transitions(state: MappingState, event: MappingState.Event, expected: MappingState?) {
        #expect(state.after(event) == expected)
    }
}
