/// The accounts of a run's queues as people read them: a line for each queue, or where there are many for all of a
/// direction and for each that does not balance.
struct QueueLines {
    private let accounts: [RunReport.QueueAccount]

    init(_ accounts: [RunReport.QueueAccount]) { self.accounts = accounts }

    /// How many queues have a line each.
    static let most = 8

    /// Labels and what stands beside them.
    var lines: [(label: String, value: String)] {
        guard accounts.count > Self.most else { return accounts.map(line) }
        let halves = [accounts.filter { !$0.isTransmit }, accounts.filter(\.isTransmit)]
        let sums = halves.compactMap { half in
            RunReport.QueueAccount.sum(half).map { ("\(half.count) queues, \($0.direction)", text($0)) }
        }
        return sums + accounts.filter { !$0.balances }.map(line)
    }

    private func line(_ account: RunReport.QueueAccount) -> (String, String) {
        ("queue \(account.queue), \(account.direction)", text(account))
    }

    private func text(_ account: RunReport.QueueAccount) -> String {
        let sides = account.sides.map { "\($0.name) \(text($0.account))" }
        let lost =
            (account.missingInRing ?? 0) == 0
            ? [] : ["\(NumberText.grouped(account.missingInRing ?? 0)) between them in no counter"]
        return (sides + lost).joined(separator: "; ")
    }

    private func text(_ side: RunReport.QueueAccount.Side) -> String {
        let rest = side.named.map { ", \(NumberText.grouped($0.count)) \($0.words)" }.joined()
        let missing = side.missing == 0 ? "" : ", \(NumberText.grouped(side.missing)) in no counter"
        let left = side.left == side.entered && side.cut == 0 ? "all" : NumberText.grouped(side.left)
        return "\(NumberText.grouped(side.entered)) in, \(left) out" + rest + side.cutText + missing
    }
}
