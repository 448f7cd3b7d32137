internal import LinuxHost

/// The names of the eventfds that recorded calls were given.
///
/// An eventfd is known by the kernel's number of it (`eventfd-id` of /proc/PID/fdinfo, proc_pid_fdinfo(5)), so that two
/// descriptors of one have one name. Its first use says what it is called.
struct RecordedDescriptors {
    private enum Identity: Hashable {
        case eventFD(UInt64)
        /// On a kernel that does not tell.
        case descriptor(Int32)
    }

    private var names: [Identity: ScriptName] = [:]
    private var taken: Set<ScriptName> = []

    /// What descriptor `number` is called, `wish` or that with a number behind it, and what makes it unless an earlier line
    /// has.
    mutating func descriptor(_ number: Int32, of process: RecordedProcess, calling wish: String) -> (
        ScriptDescriptor, making: [ScriptStep]
    ) {
        guard number != -1 else { return (.none, []) }
        guard number >= 0, process.hasDescriptor(number) else { return (.closed, []) }
        let information = process.descriptorInformation(number)
        if let information, KernelText.field("eventfd-count", in: information) == nil {
            return (.nullDevice, [])
        }
        let identity =
            information.flatMap { KernelText.number("eventfd-id", in: $0) }.map(Identity.eventFD)
            ?? .descriptor(number)
        if let name = names[identity] { return (.eventFD(name), []) }
        let name = unusedName(wish)
        names[identity] = name
        return (.eventFD(name), [.eventFD(name, initial: 0)])
    }

    private mutating func unusedName(_ wish: String) -> ScriptName {
        var name = ScriptName(stringLiteral: wish)
        var number = 2
        while !taken.insert(name).inserted {
            name = ScriptName(stringLiteral: "\(wish)-\(number)")
            number += 1
        }
        return name
    }
}
