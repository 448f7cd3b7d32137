/// Where a device's maps stand. The one place that says so.
///
///     unmapped ──map──▶ mapped ──keep──▶ kept
///        ▲                │ ▲              │ │
///        └─────flush──────┘ └────reuse─────┘ │
///        └────────────────flush──────────────┘
public enum MappingState: String, CaseIterable, Hashable, Sendable {
    /// The device has no maps of ours. Memory changes are followed and reach it with the next start.
    case unmapped
    /// The device has every map. Memory changes reach it at once.
    case mapped
    /// The device has been reset and still has every map. Memory changes reach it at once.
    case kept

    /// What happens to maps.
    package enum Event: String, CaseIterable, Hashable, Sendable {
        /// All of them are made.
        case map
        /// A reset leaves them standing.
        case keep
        /// A start uses standing ones.
        case reuse
        /// All of them are removed.
        case flush
    }

    /// The state after `event`, or `nil` where it must not happen in this state.
    package func after(_ event: Event) -> MappingState? {
        switch (self, event) {
        case (.unmapped, .map): .mapped
        case (.mapped, .keep), (.kept, .keep): .kept
        case (.kept, .reuse): .mapped
        case (.mapped, .reuse): .mapped
        case (.unmapped, .flush), (.mapped, .flush), (.kept, .flush): .unmapped
        case (.mapped, .map), (.kept, .map), (.unmapped, .keep), (.unmapped, .reuse): nil
        }
    }

    /// Whether a memory change must be sent to the device.
    package var reachesDevice: Bool { self != .unmapped }
}
