internal import CLinux
internal import Glibc
internal import GuestMemory
internal import LinuxHost
internal import SystemPackage

/// Memory of a script's process: mapped far from everything else, so that a hole in it stays one.
@safe
final class ScriptMemory {
    static var pageByteCount: Int { HostPage.byteCount }
    /// Between one memory and the next.
    static let gapByteCount: UInt = 1 << 30

    let address: UInt
    let byteCount: Int

    /// Maps memory at `wanted`: EEXIST where this machine has something there.
    init(at wanted: UInt, byteCount: Int, _ kind: ScriptMemoryKind) throws(Errno) {
        self.byteCount = byteCount
        let flags = MAP_ANONYMOUS | MAP_NORESERVE | (kind == .private ? MAP_PRIVATE : MAP_SHARED)
        let protection = kind == .readOnly ? PROT_READ : PROT_READ | PROT_WRITE
        let fixed = 0x10_0000  // MAP_FIXED_NOREPLACE
        let pointer = unsafe mmap(
            UnsafeMutableRawPointer(bitPattern: wanted), byteCount, protection, flags | CInt(fixed), -1, 0)
        guard let pointer = unsafe pointer, unsafe pointer != MAP_FAILED else { throw Errno(rawValue: errno) }
        address = UInt(bitPattern: pointer)
    }

    deinit { unsafe munmap(pointer(0), byteCount) }

    private func pointer(_ offset: UInt64) -> UnsafeMutableRawPointer? {
        unsafe UnsafeMutableRawPointer(bitPattern: address + UInt(offset))
    }

    func protect(_ offset: UInt64, byteCount: Int, _ protection: ScriptProtection) throws(Errno) {
        let bits =
            switch protection {
            case .none: PROT_NONE
            case .read: PROT_READ
            case .write: PROT_READ | PROT_WRITE
            }
        guard unsafe mprotect(pointer(offset), byteCount, bits) == 0 else { throw Errno(rawValue: errno) }
    }

    func unmap(_ offset: UInt64, byteCount: Int) throws(Errno) {
        guard unsafe munmap(pointer(offset), byteCount) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Copies bytes in, as far as the pages permit: EFAULT where they do not.
    func store(_ bytes: [UInt8], at offset: UInt64) throws(Errno) {
        guard !bytes.isEmpty else { return }
        let copied = unsafe bytes.withUnsafeBytes { buffer in
            unsafe clinux_process_memory_write(address + UInt(offset), buffer.baseAddress, buffer.count)
        }
        try Self.require(copied, bytes.count)
    }

    /// Copies bytes out.
    func load(_ byteCount: Int, at offset: UInt64) throws(Errno) -> [UInt8] {
        guard byteCount > 0 else { return [] }
        var copied = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            copied = unsafe clinux_process_memory_read(buffer.baseAddress, address + UInt(offset), byteCount)
            count = max(0, copied)
        }
        try Self.require(copied, byteCount)
        return bytes
    }

    private static func require(_ copied: Int, _ wanted: Int) throws(Errno) {
        guard copied == wanted else {
            throw copied < 0 ? Errno(rawValue: CInt(-copied)) : .badAddress
        }
    }

    /// A number that changes where a page that may be read does; of the first MiB, where rings are.
    var fingerprint: Int {
        var hasher = Hasher()
        for page in stride(from: 0, to: min(byteCount, 1 << 20), by: Self.pageByteCount) {
            hasher.combine(try? load(Self.pageByteCount, at: UInt64(page)))
        }
        return hasher.finalize()
    }
}
