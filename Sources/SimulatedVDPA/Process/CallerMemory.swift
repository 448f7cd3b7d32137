internal import CLinux
internal import Glibc
internal import SystemPackage

/// The memory of whoever makes a system call: the kernel's `copy_from_user` and `copy_to_user`.
///
/// An address is a number until the copy proves it; one that is not mapped, or not as the access needs it, is
/// EFAULT and nothing crashes. One system call per copy (about a microsecond).
struct CallerMemory {
    /// A thread of the process; `nil` for this process.
    let thread: Int32?

    /// The first address that no process of x86 can have, with five levels of page tables. Between a process's end with
    /// four, 2⁴⁷, and here the answer is the machine's: no memory is there in either case.
    private static let end: UInt = 1 << 56 - 4096

    /// Whether `count` bytes from `address` could be a process's, mapped or not: `access_ok`.
    static func canBeProcess(at address: UInt, count: Int) -> Bool {
        let (last, overflow) = address.addingReportingOverflow(UInt(count))
        return !overflow && last <= end
    }

    /// Copies `count` bytes from `address`; EFAULT unless all of them are readable.
    func bytes(at address: UInt, count: Int) throws(Errno) -> [UInt8] {
        guard count > 0 else { return [] }
        var copied = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            copied = unsafe clinux_foreign_memory_read(
                process, buffer.baseAddress, address, count)
            initializedCount = max(0, copied)
        }
        guard copied == count else { throw error(copied, "process_vm_readv") }
        return bytes
    }

    /// Copies one value from `address`, in the machine's byte order; EFAULT unless all of it is readable.
    func load<Value: FixedWidthInteger & BitwiseCopyable>(
        _: Value.Type, at address: UInt
    ) throws(Errno) -> Value {
        var value = Value.zero
        let size = MemoryLayout<Value>.size
        let copied = unsafe withUnsafeMutableBytes(of: &value) { buffer in
            unsafe clinux_foreign_memory_read(
                process, buffer.baseAddress, address, size)
        }
        guard copied == size else { throw error(copied, "process_vm_readv") }
        return value
    }

    /// Copies `bytes` to `address`; EFAULT unless all of it is writable.
    func store(bytes: [UInt8], at address: UInt) throws(Errno) {
        guard !bytes.isEmpty else { return }
        let copied = unsafe bytes.withUnsafeBytes { buffer in
            unsafe clinux_foreign_memory_write(
                process, address, buffer.baseAddress, buffer.count)
        }
        guard copied == bytes.count else { throw error(copied, "process_vm_writev") }
    }

    /// Copies `value` to `address`, in the machine's byte order; EFAULT unless all of it is writable.
    func store(_ value: some FixedWidthInteger & BitwiseCopyable, at address: UInt) throws(Errno) {
        let copied = unsafe withUnsafeBytes(of: value) { buffer in
            unsafe clinux_foreign_memory_write(
                process, address, buffer.baseAddress, buffer.count)
        }
        guard copied == MemoryLayout.size(ofValue: value) else {
            throw error(copied, "process_vm_writev")
        }
    }

    private var process: Int32 { thread ?? getpid() }

    /// EFAULT for a copy that came to its end early, or had an address that is none. What else a copy is refused with is
    /// no answer of a kernel's.
    private func error(_ copied: Int, _ call: StaticString) -> Errno {
        guard copied < 0, copied != -Int(Errno.badAddress.rawValue) else { return .badAddress }
        // Another process may end at any moment: then nobody hears the answer.
        if thread != nil, copied == -Int(Errno.noSuchProcess.rawValue) { return .badAddress }
        return SimulationFailure.note(call, Errno(rawValue: Int32(-copied)))
    }
}

extension [UInt8] {
    /// The integer at `offset` of a struct's bytes, which must have all of it: lowest byte first, as x86 has it.
    func integer<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type, at offset: Int) -> Value {
        (0..<MemoryLayout<Value>.size).reduce(0) { $0 | Value(self[offset + $1]) << (8 * $1) }
    }
}
