internal import CLinux
internal import Glibc

/// The descriptors that a call closes where the kernel makes it.
enum ClosedDescriptors: Hashable, Sendable {
    /// One of this number, if there is one.
    case one(Int32)
    /// All of these numbers.
    case all(ClosedRange<UInt32>)

    /// What `call` closes; `nil` where that is nothing, as the kernel would refuse it for one. `isOpen` says of a number
    /// whether its caller has such a descriptor.
    init?(_ call: CallNotification, isOpen: (Int32) -> Bool) {
        switch call.call {
        case .close: self = .one(call.number(0))
        case .duplicateOver, .duplicateOverWithFlags:
            let (old, new) = (call.number(0), call.number(1))
            guard old != new, isOpen(old) else { return nil }
            if call.call == .duplicateOverWithFlags, call.number(2) & ~O_CLOEXEC != 0 { return nil }
            self = .one(new)
        case .closeRange:
            let (first, last) = (UInt32(bitPattern: call.number(0)), UInt32(bitPattern: call.number(1)))
            // With other flags nothing is closed, or not in the table that is seen from here.
            guard call.number(2) == 0, first <= last else { return nil }
            self = .all(first...last)
        default: return nil
        }
    }

    func contains(_ number: Int32) -> Bool {
        switch self {
        case .one(let one): number == one
        case .all(let range): number >= 0 && range.contains(UInt32(number))
        }
    }
}
