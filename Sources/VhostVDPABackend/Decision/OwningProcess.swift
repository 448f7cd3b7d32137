internal import CLinux
internal import Glibc

/// The process that a device was opened in, told from its children: maps are of an address space, and fork(2) makes another.
///
/// To look costs a load where the kernel empties a page for a child (Linux 4.14), and a getpid(2) where it does not. A
/// child that shares the memory of its parent (vfork(2)) shares the address space that the maps are of.
@safe
struct OwningProcess: ~Copyable {
    private let mark: UnsafeMutablePointer<UInt8>?
    private let process: pid_t

    init() {
        unsafe mark = clinux_fork_mark_make()
        process = getpid()
    }

    deinit { unsafe clinux_fork_mark_drop(mark) }

    /// Whether the caller is that process.
    var isCurrent: Bool {
        guard let mark = unsafe mark else { return getpid() == process }
        return unsafe mark.pointee == 1
    }

    /// What ``isCurrent`` is in a child of the caller's; `nil` where it cannot have one. For tests.
    func isCurrentInChild() -> Bool? {
        guard let mark = unsafe mark else { return nil }
        let seen = unsafe clinux_fork_mark_in_child(mark)
        return seen < 0 ? nil : seen == 1
    }
}
