public import SystemPackage
public import VhostVDPA

/// Why the backend could not do what it was asked.
public struct BackendError: Error, Hashable, Sendable {
    /// What went wrong, for a program to tell apart.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// The code's name.
        public var description: String { name }

        /// A call of the device failed.
        public static let deviceCall = Code("deviceCall")
        /// The device lacks something that the backend cannot do without.
        public static let unsupportedDevice = Code("unsupportedDevice")
        /// The device does not accept the features of the start.
        public static let featuresRefused = Code("featuresRefused")
        /// A queue of the start is one the device cannot have.
        public static let invalidQueue = Code("invalidQueue")
        /// A memory section does not fit into the addresses that the device can use.
        public static let sectionOutsideRange = Code("sectionOutsideRange")
        /// A memory section is not a shared mapping.
        public static let memoryNotShared = Code("memoryNotShared")
        /// The device refused a map or an unmap.
        public static let mapRefused = Code("mapRefused")
        /// The address space refused the listener, for a reason of its own.
        public static let registrationFailed = Code("registrationFailed")
        /// The operation is not possible in the backend's state.
        public static let invalidState = Code("invalidState")
        /// Nothing in guest memory says where a ring goes on.
        public static let ringNotRecoverable = Code("ringNotRecoverable")
        /// A system call other than the device's failed.
        public static let systemCall = Code("systemCall")
    }

    /// What went wrong.
    public let code: Code
    /// What was asked, why it failed and what to do, in words.
    public let message: String
    /// The device call behind it, where there is one.
    public let deviceError: VhostVDPAError?
    /// The kernel's answer, where there is one.
    public let errno: Errno?
    /// Whether the device may have run: a start failed at DRIVER_OK or after it. The ring positions that it was given
    /// no longer hold then. `false` of every other error.
    public let ringsMayHaveMoved: Bool

    /// An error of its parts; `errno` is the device call's where none is given.
    public init(
        _ code: Code, _ message: String, deviceError: VhostVDPAError? = nil, errno: Errno? = nil,
        ringsMayHaveMoved: Bool = false
    ) {
        self.code = code
        self.message = message
        self.deviceError = deviceError
        self.errno = errno ?? deviceError?.errno
        self.ringsMayHaveMoved = ringsMayHaveMoved
    }

    /// A device call that failed during `operation`.
    init(_ operation: String, _ error: VhostVDPAError) {
        self.init(.deviceCall, "\(operation): \(error)", deviceError: error)
    }

    /// Calls the device on behalf of `operation`, and says so where it fails.
    static func calling<Result>(
        _ operation: StaticString, _ body: () throws(VhostVDPAError) -> Result
    ) throws(BackendError) -> Result {
        do throws(VhostVDPAError) { return try body() } catch { throw BackendError("\(operation)", error) }
    }

    /// The same error with more to say.
    func adding(_ words: String) -> BackendError {
        BackendError(
            code, "\(message); \(words)", deviceError: deviceError, errno: errno,
            ringsMayHaveMoved: ringsMayHaveMoved)
    }

    /// The same error, of a device that may have run.
    var withRingsMoved: BackendError {
        BackendError(code, message, deviceError: deviceError, errno: errno, ringsMayHaveMoved: true)
    }
}

extension BackendError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}
