internal import DeviceScripts

/// What of a kernel's answers a simulated device does not imitate, as far as a script that is made up can show it.
///
/// A number is the row's of "Does not imitate" in docs/simulated-devices.md, which has the reasons. A difference is known
/// by the call and by both answers; where any of them is another one it is none of these.
enum KnownDifference {
    /// The row that has a kernel's answer to a step and a simulated device's; nil where none does.
    static func row(of step: ScriptStep, kernel: ScriptAnswer, simulated: ScriptAnswer) -> Int? {
        switch (step, kernel, simulated) {
        // A call adds to its eventfd up to 2⁶⁴-1, and write(2), which is all that a process has, up to 2⁶⁴-2.
        case (.take, .number(.max), .number(.max - 1)): 8
        default: nil
        }
    }
}
