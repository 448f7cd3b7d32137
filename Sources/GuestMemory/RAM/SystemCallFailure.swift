import SystemPackage

/// A system call that failed, by name.
struct SystemCallFailure: Error, CustomStringConvertible {
    let call: String
    let errno: Errno

    var description: String { "\(call): \(errno)" }

    /// The result of a CLinux call, or the failure that its negative result stands for.
    @discardableResult
    static func check(_ call: String, _ result: Int32) throws(SystemCallFailure) -> Int32 {
        guard result < 0 else { return result }
        throw SystemCallFailure(call: call, errno: Errno(rawValue: -result))
    }
}
