internal import CLinux

/// One system call of a program that waits for its answer: what it asks for, by numbers that are checked by nobody yet.
struct CallNotification: Hashable, Sendable {
    /// The calls that are seen at all.
    enum Call: Hashable, Sendable {
        case open, openat, openat2
        case ioctl, map
        /// write(2) and pwrite(2); writev(2).
        case write, writePieces
        /// close(2), and what closes by the way: dup2(2), dup3(2), close_range(2).
        case close, duplicateOver, duplicateOverWithFlags, closeRange
        /// stat(2) and lstat(2), fstat(2), newfstatat(2), statx(2).
        case status, statusOfDescriptor, statusAt, extendedStatus
        case access
        /// faccessat(2) and faccessat2(2).
        case accessAt
        /// read(2) and what else reads.
        case read
        /// Of a 32-bit program: open(2), openat(2), ioctl(2).
        case narrowOpen, narrowOpenat, narrowIoctl
        /// One that the filter does not send.
        case other
    }

    /// The kernel's number of this wait.
    let identifier: UInt64
    /// The caller's thread.
    let thread: Int32
    let call: Call
    private let arguments: [UInt64]

    init(_ notification: clinux_notification) {
        identifier = notification.id
        thread = notification.thread
        let words = notification.arguments
        arguments = [words.0, words.1, words.2, words.3, words.4, words.5]
        call =
            notification.is_narrow == 0
            ? Self.call(notification.call) : Self.narrowCall(notification.call)
    }

    private static func call(_ number: Int32) -> Call {
        switch number {
        case clinux_call_open: .open
        case clinux_call_openat: .openat
        case clinux_call_openat2: .openat2
        case clinux_call_ioctl: .ioctl
        case clinux_call_write, clinux_call_pwrite: .write
        case clinux_call_writev: .writePieces
        case clinux_call_mmap: .map
        case clinux_call_close: .close
        case clinux_call_dup2: .duplicateOver
        case clinux_call_dup3: .duplicateOverWithFlags
        case clinux_call_close_range: .closeRange
        case clinux_call_read, clinux_call_readv, clinux_call_pread: .read
        case clinux_call_stat, clinux_call_lstat: .status
        case clinux_call_fstat: .statusOfDescriptor
        case clinux_call_newfstatat: .statusAt
        case clinux_call_statx: .extendedStatus
        case clinux_call_access: .access
        case clinux_call_faccessat, clinux_call_faccessat2: .accessAt
        default: .other
        }
    }

    private static func narrowCall(_ number: Int32) -> Call {
        switch number {
        case clinux_narrow_open: .narrowOpen
        case clinux_narrow_openat: .narrowOpenat
        case clinux_narrow_ioctl: .narrowIoctl
        default: .other
        }
    }

    /// An argument as the 64 bits that the caller's register has.
    func word(_ index: Int) -> UInt64 { arguments[index] }

    /// An argument of 32 bits, as the kernel takes a descriptor, flags or a request.
    func number(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: arguments[index]) }

    func address(_ index: Int) -> UInt { UInt(truncatingIfNeeded: arguments[index]) }

    func count(_ index: Int) -> Int { Int(truncatingIfNeeded: arguments[index]) }
}
