import EmulatedMachine
import GuestMemory
import Testing
import VhostVDPABackend

/// A device and a policy, and whether its maps stand across a reset with them.
struct MapsCase: Sendable, CustomTestStringConvertible {
    let device: String
    let persist: PersistPolicy
    let keepsMaps: Bool

    var testDescription: String { "\(device), persist \(persist): maps \(keepsMaps ? "kept" : "rebuilt")" }

    /// The promise, the same device without it, and a kernel that never gives it.
    static let all = [
        MapsCase(device: "sim", persist: .auto, keepsMaps: true),
        MapsCase(device: "sim", persist: .off, keepsMaps: false),
        MapsCase(device: "sim,kernel=6.1", persist: .auto, keepsMaps: false),
    ]
}

extension EmulatedMachine {
    /// The sections of guest memory that a device is given.
    var mappedSectionCount: Int { memory.addressSpace.view.sections.count { $0.backing != .device } }

    /// The UPDATEs that map all of it: one for each section, and one for the page that the device must answer for
    /// (MapVerification).
    var mapMessageCount: Int { mappedSectionCount + 1 }
}
