public import GuestMemory

/// The name of something that a script's process has: an open file, memory, an eventfd.
///
/// Letters, digits, `-` and `_`, a letter first.
public struct ScriptName: RawRepresentable, ExpressibleByStringLiteral, Hashable, Sendable {
    /// The name itself.
    public let rawValue: String
    /// Makes a name, or `nil` where the text is none.
    public init?(rawValue: String) {
        guard let first = rawValue.unicodeScalars.first, first.isASCII, first.properties.isAlphabetic,
            rawValue.unicodeScalars.allSatisfy(Self.isPart)
        else { return nil }
        self.rawValue = rawValue
    }
    /// Makes a name of a literal, which must be one.
    public init(stringLiteral value: String) {
        guard let name = Self(rawValue: value) else { preconditionFailure("\(value) is no name") }
        self = name
    }

    /// The file of a script that names none.
    public static let device: Self = "dev"

    private static func isPart(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            || scalar == "-" || scalar == "_"
    }
}

extension ScriptName: CustomStringConvertible {
    /// The name itself.
    public var description: String { rawValue }
}

/// An address of the script's process.
public enum ScriptPointer: Hashable, Sendable {
    /// A number, the same in every process that plays the script. 0 is a null pointer.
    case number(HostAddress)
    /// So many bytes behind the beginning of memory that the script has; it may lie outside.
    case memory(ScriptName, offset: UInt64)
}

/// A descriptor that a request is given.
public enum ScriptDescriptor: Hashable, Sendable {
    /// -1, which unbinds.
    case none
    /// A number that is not open.
    case closed
    /// An open file that is no eventfd: `/dev/null`.
    case nullDevice
    /// An eventfd of the script's.
    case eventFD(ScriptName)
}

/// What memory of the script's process is.
public enum ScriptMemoryKind: String, CaseIterable, Hashable, Sendable {
    /// Shared with the kernel's page cache, as a memfd's: what guest RAM is.
    case shared
    /// Private and anonymous.
    case `private`
    /// Shared, and may be read only.
    case readOnly = "readonly"
}

/// What the pages of a part of memory permit from now on.
public enum ScriptProtection: String, CaseIterable, Hashable, Sendable {
    /// Nothing.
    case none
    /// Reading alone.
    case read
    /// Reading and writing.
    case write
}

/// Who makes a call.
public enum ScriptCaller: Hashable, Sendable {
    /// The process that the script is.
    case process
    /// A child of it, forked for this call, that has the file by inheritance.
    case child
}
