/// One rule that a client of vhost-vdpa must obey, as a value: what it says, why, and how a call is judged by it.
///
/// The list of them is the documentation (`docs/client-rules.md` is printed from it). A rule is asked before each call
/// takes effect, with the call, its answer, and what the client has told the device so far.
package struct ClientRule: Sendable {
    /// The number by which reports and documents name it: from 201 on.
    package let number: Int
    /// What it is about.
    package let topic: ClientRuleTopic
    /// How bad it is to break it.
    package let severity: ClientRuleSeverity
    /// What holds, in one line.
    package let title: String
    /// What the kernel does that makes it so.
    package let reason: String
    /// What the client is to do.
    package let advice: String
    /// The kernel's function or header, or the standard's section, that says so.
    package let source: String
    let judge: @Sendable (ClientMoment) -> [ClientBreach]

    init(
        _ number: Int, _ topic: ClientRuleTopic, _ severity: ClientRuleSeverity, _ title: String,
        reason: String, advice: String, source: String,
        judge: @escaping @Sendable (ClientMoment) -> [ClientBreach]
    ) {
        self.number = number
        self.topic = topic
        self.severity = severity
        self.title = title
        self.reason = reason
        self.advice = advice
        self.source = source
        self.judge = judge
    }
}

/// How bad it is to break a rule.
package enum ClientRuleSeverity: String, CaseIterable, Encodable, Sendable {
    /// It goes wrong, on this device or on another that the interface permits.
    case error
    /// It goes right by luck, or in most cases.
    case warning
    /// It works, and something else works better.
    case advice
}

/// What a client's rule is about: the heading it stands under.
package enum ClientRuleTopic: String, CaseIterable, Sendable {
    /// UPDATE, INVALIDATE and batches.
    case maps = "Maps"
    /// What a reset leaves of maps.
    case persistence = "Reset and persistence"
    /// Groups, and the address spaces that they translate with.
    case spaces = "Groups and address spaces"
    /// Where rings are and where they go on.
    case rings = "Rings"
    /// The eventfds of a queue.
    case events = "Kicks and calls"
    /// Status and features.
    case status = "Status and features"
    /// Who calls.
    case ownership = "The file and its owner"
}

/// A place where a rule was broken.
struct ClientBreach {
    /// The call at which it was; an earlier one than that by which it shows.
    let call: Int
    /// What was done, with its numbers.
    let detail: String
}
