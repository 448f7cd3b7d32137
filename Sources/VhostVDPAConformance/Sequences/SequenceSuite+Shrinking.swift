/// From a failing sequence to the shortest part of it that fails.
extension SequenceSuite {
    /// Up to this length every shorter selection of steps is tried, so that the result is the shortest there is.
    private static let exhaustiveLength = 3

    /// The shortest part of the failing sequence that fails, with its steps in order.
    ///
    /// Steps are left out, in halves and then one by one, until each one left is needed. Where few are left, every
    /// smaller selection of the original's steps is tried as well; a longer one is only known to have no step
    /// to spare.
    func shrunk(_ failure: Failure) throws -> Failure {
        // What comes after the step that differs has no part in it.
        let original = Array(failure.operations.prefix(failure.step + 1))
        var best = try failing(original, failure.seed) ?? failure
        var width = max(1, best.operations.count / 2)
        while true {
            var start = 0
            while start < best.operations.count {
                let rest =
                    best.operations[..<start] + best.operations[min(start + width, best.operations.count)...]
                if let smaller = try failing(Array(rest), failure.seed) {
                    best = smaller
                } else {
                    start += width
                }
            }
            if width == 1 { break }
            width /= 2
        }
        for length in 1..<max(1, min(best.operations.count, Self.exhaustiveLength + 1)) {
            if let smaller = try firstFailing(length, of: original, [], failure.seed) { return smaller }
        }
        return best
    }

    /// The failure of a shorter sequence, cut after the step that differs.
    private func failing(_ operations: [SequenceOperation], _ seed: UInt64) throws -> Failure? {
        // Asked to end, what is found so far is short enough.
        guard !operations.isEmpty, !isInterrupted(), var failure = try outcome(of: operations, seed: seed)
        else { return nil }
        failure.operations = Array(operations.prefix(failure.step + 1))
        return failure
    }

    /// The first selection of `length` steps, in order, that fails after those chosen already.
    private func firstFailing(
        _ length: Int, of operations: [SequenceOperation], _ chosen: [SequenceOperation], _ seed: UInt64
    ) throws -> Failure? {
        guard length > 0 else { return try failing(chosen, seed) }
        for (index, operation) in operations.enumerated() {
            let rest = Array(operations[(index + 1)...])
            guard rest.count >= length - 1 else { break }
            if let failure = try firstFailing(length - 1, of: rest, chosen + [operation], seed) {
                return failure
            }
        }
        return nil
    }
}
