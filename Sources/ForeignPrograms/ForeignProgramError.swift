package import SystemPackage

/// Why a program could not be run on a simulated device.
package struct ForeignProgramError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was refused.
    package enum Code: Hashable, Sendable {
        /// This machine does not let us answer a program's calls.
        case notSupervised
        /// The program itself cannot be started.
        case notStarted
        /// A device cannot be made.
        case noDevice
    }

    /// What was refused.
    package let code: Code
    /// How the kernel refused it.
    package let errno: Errno
    private let subject: String

    init(_ code: Code, _ errno: Errno, program: String) {
        self.code = code
        self.errno = errno
        subject = program
    }

    /// The program, what is wrong and what it takes, in one line.
    package var description: String {
        switch code {
        case .notSupervised:
            "\(subject): its system calls cannot be answered here: seccomp user notification is refused (\(errno)); it"
                + " takes Linux 5.14 or later, and no other supervisor around emu"
        case .notStarted: "\(subject): cannot be started: \(errno)"
        case .noDevice: "\(subject): \(errno)"
        }
    }
}
