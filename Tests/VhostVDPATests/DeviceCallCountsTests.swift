import Testing
import VhostVDPA

@Suite("Counts of calls")
struct DeviceCallCountsTests {
    private static let fields: [any WritableKeyPath<DeviceCallCounts, Int> & Sendable] = [
        \.ioctls, \.updates, \.invalidates, \.batches,
    ]

    /// Each field's number is another.
    private static func counts(_ step: Int) -> DeviceCallCounts {
        var counts = DeviceCallCounts()
        for (place, field) in fields.enumerated() { counts[keyPath: field] = step * (place + 1) }
        return counts
    }

    @Test("are taken off and added up, each kind on its own")
    func arithmetic() {
        #expect(Self.counts(7) - Self.counts(5) == Self.counts(2))
        var sum = Self.counts(3)
        sum += Self.counts(4)
        #expect(sum == Self.counts(7))
    }
}
