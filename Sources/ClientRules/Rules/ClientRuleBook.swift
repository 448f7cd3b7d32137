/// All rules for clients.
package enum ClientRuleBook {
    /// By number.
    package static let rules: [ClientRule] =
        (MapRules.all + PersistenceRules.all + SpaceRules.all + RingRules.all + EventRules.all
        + StatusRules.all + OwnershipRules.all).sorted { $0.number < $1.number }

    /// The rules as a Markdown document: `docs/client-rules.md`.
    package static var document: String {
        var lines = [
            "# The rules for clients of vhost-vdpa", "",
            "Printed by `emu exec --list-rules`; do not edit. Each rule is a value in `Sources/ClientRules/Rules`. `emu exec`"
                + " judges the program that it runs by them, `emu replay --rules` a device script ([exec.md](exec.md),"
                + " [device-scripts.md](device-scripts.md)).", "",
            "**error**: it goes wrong, on this device or on another that the interface permits. **warning**: it goes right"
                + " by luck, or in most cases. **advice**: it works, and something else works better.", "",
            "A rule sees calls, their arguments and their answers. It does not see what a driver writes to its rings.",
        ]
        for topic in ClientRuleTopic.allCases {
            lines += ["", "## \(topic.rawValue)"]
            for rule in rules where rule.topic == topic {
                lines += [
                    "", "### \(rule.number) \(rule.title)", "",
                    "- **\(rule.severity.rawValue)**; source: `\(rule.source)`", "- Why: \(rule.reason)",
                    "- What to do: \(rule.advice)",
                ]
            }
        }
        return lines.joined(separator: "\n")
    }
}
