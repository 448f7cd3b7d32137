internal import LinuxHost
internal import SystemPackage

/// What each real kernel does with each rule, as `emu check --table` prints it.
struct RulesTable {
    /// The newest kernel first.
    private let devices: [KernelFolder]

    /// Reads all folders of virtual machines in the one at `path`.
    init(folder path: FilePath) throws(StartError) {
        let names: [String]
        do throws(Errno) {
            names = try FolderListing.names(path)
        } catch {
            throw StartError(
                "--table \(path): it cannot be listed: \(error); give the folder of scripts/test-kernel --keep"
            )
        }
        var devices: [KernelFolder] = []
        for name in names.sorted() where !name.hasPrefix(".") {
            let folder = path.appending(name)
            if try KernelFolder.isOne(folder) { devices.append(try KernelFolder(folder)) }
        }
        guard !devices.isEmpty else {
            throw StartError(
                "--table \(path): no folder in it holds a log/conformance.json; make them with scripts/test-kernel --steps 60"
                    + " --keep \(path)")
        }
        self.init(devices)
    }

    /// Of one kernel the devices stay in the order in which they come.
    init(_ devices: [KernelFolder]) {
        self.devices = devices.enumerated().sorted { first, second in
            let (newer, older) = (first.element.kernel, second.element.kernel)
            return newer == older ? first.offset < second.offset : older.lexicographicallyPrecedes(newer)
        }.map(\.element)
    }

    /// The whole document in Markdown, without a line break at its end: `docs/rules-on-kernels.md`.
    var document: String {
        var notes = Footnotes()
        let rows = numbers.map { number in
            let title = devices.compactMap { $0.rules.first { $0.number == number }?.title }.last ?? ""
            return row(["\(number)", title] + devices.map { cell(number, $0, &notes) })
        }
        let letters = devices.indices.map(Self.letter)
        return
            ([
                Self.head,
                "| "
                    + row(
                        ["kernel (`uname -rv`)", "device ([kernel-vm.md](kernel-vm.md))"]
                            + Self.outcomes.map(\.words)),
                Self.rule(columns: 3 + Self.outcomes.count),
            ] + zip(letters, devices).map(summary) + [
                """

                ✓ the kernel does what the rule says. – the rule does not apply to this device. **?** the rule could not be asked, and
                nothing is known of it. The number names the reason below.

                """, row(["number", "rule"] + letters), Self.rule(columns: 2 + devices.count),
            ] + rows + notes.lines).joined(separator: "\n")
    }

    /// What stands before the first table, whatever the results.
    static let head = """
        # What each real kernel does

        The rules of [rules.md](rules.md), asked of the real `/dev/vhost-vdpa-0` of every kernel and device that
        [`scripts/test-kernel`](real-device.md) boots. Printed by `emu check --table` from the results of a run; do not edit.
        To make it anew:

        ```console
        $ scripts/test-kernel --steps 60 --keep /tmp/rules
        $ emu check --table /tmp/rules >docs/rules-on-kernels.md
        ```

        """

    private static let outcomes: [(outcome: CheckReport.Entry.Outcome, words: String)] = [
        (.passed, "passed"), (.notApplicable, "not applicable"), (.notAsked, "could not be asked"),
        (.failed, "failed"),
    ]

    /// Every rule that some device was asked, as the first of them has it.
    private var numbers: [Int] {
        var seen: Set<Int> = []
        return devices.flatMap { $0.rules.map(\.number) }.filter { seen.insert($0).inserted }
    }

    private func summary(_ letter: String, _ device: KernelFolder) -> String {
        let counts = Self.outcomes.map { outcome, _ in "\(device.rules.count { $0.outcome == outcome })" }
        return row([letter, device.release, "`\(device.device)`"] + counts)
    }

    private func cell(_ number: Int, _ device: KernelFolder, _ notes: inout Footnotes) -> String {
        guard let rule = device.rules.first(where: { $0.number == number }) else { return "not run" }
        var text =
            switch rule.outcome {
            case .passed: "✓"
            case .failed: "**failed** \(notes.reference("seen: \(rule.seen ?? "-")"))"
            case .notApplicable: "– \(notes.reference(rule.reason ?? "-"))"
            case .notAsked: "**?** \(notes.reference(rule.reason ?? "-"))"
            }
        if device.differing.contains(number) {
            let reason = device.reasons[number]
            text += " " + notes.reference(reason.map { "the simulation differs: \($0)" } ?? Self.unexplained)
        }
        return text
    }

    private static let unexplained = "the simulation differs, **unexplained**"

    private func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

    private static func rule(columns: Int) -> String { "|" + String(repeating: "---|", count: columns) }

    /// A, B, … Z, AA, AB, …
    private static func letter(_ index: Int) -> String {
        let last = String(UnicodeScalar(UInt8(ascii: "A") + UInt8(index % 26)))
        return index < 26 ? last : letter(index / 26 - 1) + last
    }
}

/// Footnotes, numbered as they come up; the same text is one.
private struct Footnotes {
    private var numbers: [String: Int] = [:]
    private var texts: [String] = []

    /// The mark that stands for `text`.
    mutating func reference(_ text: String) -> String {
        if let number = numbers[text] { return "[\(number)]" }
        texts.append(text)
        numbers[text] = texts.count
        return "[\(texts.count)]"
    }

    /// The section that has them; empty where there are none.
    var lines: [String] {
        texts.isEmpty ? [] : ["\n## Notes\n"] + texts.enumerated().map { "\($0 + 1). \($1)" }
    }
}
