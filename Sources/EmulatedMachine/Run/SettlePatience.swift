/// How long a run waits for the frames on their way: until none has moved for the run's patience. Where somebody wants
/// the end, until none has moved for a short while, and from then on never longer than ``limit``.
struct SettlePatience {
    private let patience: Duration
    private var hurriedSince: ContinuousClock.Instant?

    /// How long frames that do not move are waited for where somebody wants the run to end, or its device is gone.
    static let short = Duration.milliseconds(500)
    /// How long frames that do move are waited for then.
    static let limit = Duration.seconds(2)

    init(_ patience: Duration) { self.patience = patience }

    /// Whether the end could not wait for as long as the run has patience.
    var isHurried: Bool { hurriedSince != nil }

    /// Says that somebody wants the end; the first time counts.
    mutating func hurry(at instant: ContinuousClock.Instant) { hurriedSince = hurriedSince ?? instant }

    /// Whether nobody waits any longer at `instant` for the frames that `watch` sees.
    func isOver(_ watch: ReturnWatch, at instant: ContinuousClock.Instant) -> Bool {
        guard let hurriedSince else { return watch.isStill(for: patience, at: instant) }
        return watch.isStill(for: min(patience, Self.short), at: instant)
            || hurriedSince.duration(to: instant) >= Self.limit
    }
}
