/// What a client's calls were found to be.
package struct ClientReport: Sendable {
    /// A call.
    package struct Call: Hashable, Encodable, Sendable {
        /// Its number, from 1.
        package let number: Int
        /// The call and its answer, as a device script has it.
        package let text: String
    }

    /// A rule that was broken.
    package struct Broken: Sendable {
        /// The rule.
        package let rule: ClientRule
        /// How often.
        package let count: Int
        /// The first times.
        package let findings: [ClientFinding]
    }

    /// How many calls there were.
    package let callCount: Int
    /// The rules that were broken, by number.
    package let broken: [Broken]

    /// The broken rules of a severity.
    package func broken(_ severity: ClientRuleSeverity) -> [Broken] {
        broken.filter { $0.rule.severity == severity }
    }

    /// The report as lines of text, for people: errors first.
    package var lines: [String] {
        guard !broken.isEmpty else { return ["\(callCount) calls, no rule broken"] }
        let counts = ClientRuleSeverity.allCases.compactMap { severity -> String? in
            let count = broken(severity).count
            return count == 0 ? nil : "\(severity.rawValue): \(count)"
        }
        var lines = ["\(callCount) calls; rules broken: \(counts.joined(separator: ", "))"]
        for severity in ClientRuleSeverity.allCases {
            for broken in broken(severity) { lines += broken.lines }
        }
        return lines
    }
}

/// A place where a client broke a rule.
package struct ClientFinding: Hashable, Sendable {
    /// The rule's number.
    package let rule: Int
    /// The call's number.
    package let call: Int
    /// What was done, with its numbers.
    package let detail: String
    /// The calls around it, as far as they are known.
    package internal(set) var calls: [ClientReport.Call] = []
}

extension ClientReport.Broken {
    fileprivate var lines: [String] {
        let often = count == 1 ? "once" : "\(count) times"
        var lines = ["\(rule.severity.rawValue) \(rule.number), \(often): \(rule.title)"]
        for (index, finding) in findings.enumerated() {
            lines.append("  call \(finding.call): \(finding.detail)")
            // The calls around the others are much the same.
            guard index == 0 else { continue }
            lines += finding.calls.map { call in
                "  \(call.number == finding.call ? ">" : " ") \(call.number)  \(call.text)"
            }
        }
        lines.append("  why: \(rule.reason)")
        lines.append("  do:  \(rule.advice)")
        lines.append("  source: \(rule.source)")
        return lines
    }
}
