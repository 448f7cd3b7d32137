internal import SystemPackage

/// Ends the rule unless the call gave what the rule says: an errno, or `nil` for success. An errno that tells of the
/// caller's own shortage is no answer of the device's.
func expect(_ call: String, _ seen: Errno?, is expected: Errno? = nil) throws(RuleInterruption) {
    guard seen != expected else { return }
    if let seen { try requireAnswer(call, seen) }
    throw .failed(expected: "\(call): \(name(expected))", seen: "\(call): \(name(seen))")
}

/// Ends the rule unless the number is the one the rule says.
func expect<Value: Equatable>(
    _ what: String, _ seen: Value, equals expected: Value
) throws(RuleInterruption) {
    guard seen != expected else { return }
    throw .failed(expected: "\(what): \(expected)", seen: "\(what): \(seen)")
}

/// Ends the rule unless the request answered this number, or failed with this errno.
func expect<Value: Equatable>(
    _ what: String, _ seen: Result<Value, Errno>, equals expected: Result<Value, Errno>
) throws(RuleInterruption) {
    guard seen != expected else { return }
    if case .failure(let error) = seen { try requireAnswer(what, error) }
    throw .failed(expected: "\(what): \(text(expected))", seen: "\(what): \(text(seen))")
}

/// The number a request answered; ends the rule where it failed.
func value<Value>(_ what: String, _ answer: Result<Value, Errno>) throws(RuleInterruption) -> Value {
    switch answer {
    case .success(let value): return value
    case .failure(let error):
        try requireAnswer(what, error)
        throw .failed(expected: "\(what): an answer", seen: "\(what): \(name(error))")
    }
}

/// Ends the rule where the call was refused for what the caller lacks.
func requireAnswer(_ call: String, _ seen: Errno) throws(RuleInterruption) {
    if let reason = CallerShortage.reason(call, seen) { throw .notAsked(reason: reason) }
}

/// The errno by its symbol, as the rules and the kernel's source have it.
func name(_ errno: Errno?) -> String {
    guard let errno else { return "success" }
    let names: [Int32: String] = [
        1: "EPERM", 2: "ENOENT", 5: "EIO", 6: "ENXIO", 7: "E2BIG", 9: "EBADF", 11: "EAGAIN", 12: "ENOMEM",
        13: "EACCES", 14: "EFAULT", 16: "EBUSY", 17: "EEXIST", 19: "ENODEV", 22: "EINVAL", 23: "ENFILE",
        24: "EMFILE", 25: "ENOTTY", 28: "ENOSPC", 38: "ENOSYS", 95: "EOPNOTSUPP", 105: "ENOBUFS",
        515: "ENOIOCTLCMD", 524: "ENOTSUPP",
    ]
    return names[errno.rawValue] ?? "errno \(errno.rawValue)"
}

private func text<Value>(_ answer: Result<Value, Errno>) -> String {
    switch answer {
    case .success(let value): "\(value)"
    case .failure(let error): name(error)
    }
}
