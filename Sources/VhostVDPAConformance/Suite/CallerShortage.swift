internal import Glibc
internal import LinuxHost
package import SystemPackage

/// What a process that asks a device may itself be short of. It says nothing of the device.
package enum CallerShortage {
    /// Why a call that was refused with this errno was never the device's to answer; `nil` where it was. No rule has one
    /// of these errnos for an answer.
    package static func reason(_ call: String, _ errno: Errno) -> String? {
        Shortage.advice(errno).map { "\(call): \(name(errno)): \($0)" }
    }

    /// The interruption of a rule that has no `what` of its own, as a system call refused it with this errno.
    static func interruption(_ what: String, _ errno: Errno) -> RuleInterruption {
        .notAsked(
            reason: reason(what, errno)
                ?? "\(what): \(name(errno)): the machine or a policy on it refuses that; allow it and check again"
        )
    }

    /// What this process is short of just now, `nil` where there is some to spare.
    ///
    /// A device that is simulated in this process lives on the same descriptors and address space and, as the kernel's
    /// does, answers a want of them with errnos that name something else. Asked while what a rule opened is still open.
    static var now: String? {
        if let reason = descriptorShortage { return reason }
        let flags = MAP_ANONYMOUS | MAP_NORESERVE | MAP_PRIVATE
        let room = unsafe mmap(nil, spareBytes, PROT_NONE, flags, -1, 0)
        guard let room = unsafe room, unsafe room != MAP_FAILED else {
            return reason("\(spareBytes >> 20) MiB of address space", Errno(rawValue: Glibc.errno))
        }
        unsafe munmap(room, spareBytes)
        return nil
    }

    /// The same of descriptors alone.
    private static var descriptorShortage: String? {
        var spares: [SharedEventFD] = []
        do throws(Errno) {
            while spares.count < spareDescriptors { spares.append(try SharedEventFD()) }
            return nil
        } catch {
            return reason("\(spares.count) descriptors are left", error)
        }
    }

    /// More than any rule opens and closes again, the simulated device's doings among it.
    private static let spareDescriptors = 8
    /// As much as the largest pages of a rule.
    private static let spareBytes = 64 << 20
}
