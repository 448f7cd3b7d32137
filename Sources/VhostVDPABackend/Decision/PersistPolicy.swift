/// What the user wants done about maps around a reset.
public enum PersistPolicy: String, CaseIterable, Hashable, Sendable {
    /// IOTLB_PERSIST is acknowledged where it is offered, and maps are kept where it is acknowledged.
    case auto
    /// IOTLB_PERSIST is never acknowledged: every reset unmaps, every start maps again.
    case off
    /// Maps are kept even where IOTLB_PERSIST is not acknowledged, to show what breaks.
    ///
    /// The kernel may have dropped them silently, so this is for simulated devices only; the caller sees to it.
    case force
}
