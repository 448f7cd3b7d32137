internal import SystemPackage

/// The kernel's names of error numbers (errno(3)), as scripts write them; one that has none here is `E` and its number.
enum ErrnoName {
    private static let names: [CInt: String] = [
        1: "EPERM", 2: "ENOENT", 3: "ESRCH", 4: "EINTR", 5: "EIO", 6: "ENXIO", 7: "E2BIG", 9: "EBADF",
        11: "EAGAIN",
        12: "ENOMEM", 13: "EACCES", 14: "EFAULT", 16: "EBUSY", 17: "EEXIST", 19: "ENODEV", 22: "EINVAL",
        23: "ENFILE",
        24: "EMFILE", 25: "ENOTTY", 27: "EFBIG", 28: "ENOSPC", 32: "EPIPE", 34: "ERANGE", 38: "ENOSYS",
        71: "EPROTO",
        75: "EOVERFLOW", 95: "EOPNOTSUPP", 105: "ENOBUFS", 110: "ETIMEDOUT", 114: "EALREADY", 524: "ENOTSUPP",
    ]
    private static let numbers = Dictionary(uniqueKeysWithValues: names.map { ($0.value, $0.key) })

    static func text(_ errno: Errno) -> String { names[errno.rawValue] ?? "E\(errno.rawValue)" }

    static func errno(_ text: some StringProtocol) -> Errno? {
        if let number = numbers[String(text)] { return Errno(rawValue: number) }
        guard text.hasPrefix("E"), let number = CInt(text.dropFirst()), number > 0, names[number] == nil
        else {
            return nil
        }
        return Errno(rawValue: number)
    }
}
