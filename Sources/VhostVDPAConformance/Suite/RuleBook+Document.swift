extension RuleBook {
    /// The rules as a Markdown document: `docs/rules.md`.
    package static var document: String {
        var lines = [
            "# The rules of vhost-vdpa", "",
            "Printed by `emu check --list`; do not edit. Each rule is a value in `Sources/VhostVDPAConformance/Rules`"
                + " and runs on any device, simulated or the kernel's, with `emu check --device SPEC`. Rules from 101"
                + " on are this project's own.", "",
            "**Tags**: A any device; S like the kernel's vdpa_sim_net; U maps name virtual addresses (use_va=1); P maps"
                + " pin pages; B1 set_map, deferred in a batch; traffic: a network device that takes frames. What a"
                + " device is, is found out by asking it.", "",
            "What each real kernel does with each rule: [rules-on-kernels.md](rules-on-kernels.md).",
        ]
        for topic in RuleTopic.allCases {
            lines += [
                "", "## \(topic.rawValue)", "", "| number | rule | tags | source |", "|---|---|---|---|",
            ]
            for rule in rules where rule.topic == topic {
                let note = rule.note.map { " *\($0)*" } ?? ""
                lines.append("| \(rule.number) | \(rule.title).\(note) | \(rule.tags) | `\(rule.source)` |")
            }
        }
        return lines.joined(separator: "\n")
    }
}
