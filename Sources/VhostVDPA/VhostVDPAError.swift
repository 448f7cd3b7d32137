public import SystemPackage

/// A call of the vhost-vdpa interface that failed.
public struct VhostVDPAError: Error, Hashable, Sendable {
    /// What failed, for a program to tell apart.
    public struct Code: Hashable, Sendable {
        private enum Kind: Hashable { case open, otherFile, ioctl, message, shortWrite, map, statistics }
        private let kind: Kind
        private init(_ kind: Kind) { self.kind = kind }

        /// The device file could not be opened, or the inherited descriptor is none.
        public static let open = Code(.open)
        /// The file is something else than a vhost-vdpa device.
        public static let otherFile = Code(.otherFile)
        /// An `ioctl(2)`.
        public static let ioctl = Code(.ioctl)
        /// The `write(2)` of an IOTLB message. The kernel answers EFAULT for nearly every reason.
        public static let message = Code(.message)
        /// The device took fewer bytes than a message has.
        public static let shortWrite = Code(.shortWrite)
        /// The `mmap(2)` of a doorbell.
        public static let map = Code(.map)
        /// A question about the device over netlink.
        package static let statistics = Code(.statistics)
    }

    /// What failed.
    public let code: Code
    /// The call with its arguments, as the log shows it: `SET_VRING_NUM(index: 0, num: 256)`.
    public let call: String
    /// What the kernel answered.
    public let errno: Errno
    /// What it means here and what to do, where the errno alone does not say.
    public let context: String?

    /// A failed `call`.
    public init(_ code: Code, call: String, errno: Errno, context: String? = nil) {
        self.code = code
        self.call = call
        self.errno = errno
        self.context = context
    }
}

extension VhostVDPAError: CustomStringConvertible {
    /// Call, answer and meaning in one line.
    public var description: String {
        // No call was answered: what the file is says everything.
        if code == .otherFile, let context { return "\(call): \(context)" }
        let answer = "\(call): \(describe(errno))"
        guard let context else { return answer }
        return "\(answer): \(context)"
    }
}

/// The errno in words and as a number. 524 never leaves the kernel by rights, and no C library names it.
package func describe(_ errno: Errno) -> String {
    let words = errno.rawValue == 524 ? "operation not supported by the device (ENOTSUPP)" : "\(errno)"
    return "\(words) (errno \(errno.rawValue))"
}
