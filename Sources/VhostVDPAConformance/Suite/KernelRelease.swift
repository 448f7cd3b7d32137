/// A kernel's version as far as the rules depend on it.
public struct KernelRelease: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// As the 6 of 6.12.
    public let major: Int
    /// As the 12 of 6.12.
    public let minor: Int

    /// A release of its numbers.
    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads the begin of `uname -r`, as `6.12.117+deb12-amd64`; `nil` where it is none.
    public init?(parsing text: String) {
        let numbers = text.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isNumber }) }
        guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else { return nil }
        self.init(major, minor)
    }

    /// Orders releases as they came out.
    public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// The numbers with a dot between them.
    public var description: String { "\(major).\(minor)" }
}
