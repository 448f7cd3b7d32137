import CLinux
import LinuxHost
public import Logging
public import SystemPackage

/// A piece of guest RAM: a sealed, shared memfd mapped into this process for as long as the block lives.
///
/// Shared memory, because a vDPA device pins it and another process may map ``fileDescriptor``. Memory is
/// sparse until touched, so a block may be larger than the machine; ``prefault(threads:progress:isCancelled:)`` is what
/// refuses such a size. The bytes belong to the guest and its devices: any thread may reach them through
/// ``hostRange``, and nothing here orders their accesses.
public final class RAMBlock: Sendable {
    /// The name that errors and listings print.
    public let name: String
    /// The block's size, a multiple of its page size.
    public let byteCount: ByteCount
    /// The pages the block really has, which a fallback may have changed from those asked for.
    public let pages: PageKind
    /// Where the block is mapped in this process.
    public let hostRange: AddressRange<HostAddress>

    private let file: MemoryFile
    private let mapping: MemoryMapping

    /// The first byte of ``hostRange``, valid for as long as the block is held.
    package var base: UnsafeMutableRawPointer { unsafe mapping.base }

    /// The memfd, sealed against a change of size. The block closes it; use it while you hold the block.
    public var fileDescriptor: FileDescriptor { file.descriptor }

    /// The host's base page size, the unit of every mapping and of a block's size.
    public static var hostPageSize: ByteCount { ByteCount(HostPage.byteCount) }

    /// The bytes of the block that hold memory now, resident or swapped. One system call.
    public var allocatedByteCount: ByteCount {
        ByteCount(rawValue: UInt64(max(0, clinux_allocated_bytes(fileDescriptor.rawValue))))
    }

    private init(name: String, byteCount: ByteCount, pages: PageKind) throws(SystemCallFailure) {
        let file = try MemoryFile.make(name: name, byteCount: byteCount, hugePages: pages == .explicit)
        let mapping = try MemoryMapping(
            file, byteCount: byteCount,
            alignment: byteCount < PageKind.hugePageSize ? Self.hostPageSize : PageKind.hugePageSize,
            reserve: pages == .explicit
        )
        let first = HostAddress(rawValue: UInt64(UInt(bitPattern: unsafe mapping.base)))
        guard let range = AddressRange(first: first, byteCount: byteCount) else {
            throw SystemCallFailure(call: "mmap", errno: .badAddress)
        }
        if pages == .transparent {
            try SystemCallFailure.check(
                "madvise(MADV_HUGEPAGE)", unsafe clinux_advise_huge_pages(mapping.base, byteCount.rawValue)
            )
        }
        self.name = name
        self.byteCount = byteCount
        self.pages = pages
        self.hostRange = range
        self.file = file
        self.mapping = mapping
    }

    /// Makes a block of zeroed memory, none of it touched yet.
    ///
    /// Where the kernel has none of the pages asked for the block gets the next kind down (explicit, transparent,
    /// base); ``pages`` says which, and the logger why, as a warning.
    ///
    /// - Parameters:
    ///   - name: Names the block in errors and in `/proc/PID/maps`.
    ///   - byteCount: A multiple of ``hostPageSize``, above zero. It may exceed the machine's memory.
    ///   - pages: The pages wanted.
    ///   - logger: Where a fallback is reported.
    /// - Throws: ``GuestMemoryError/Code/invalidSize`` or ``GuestMemoryError/Code/allocationFailed``.
    public static func allocate(
        name: String, byteCount: ByteCount, pages: PageKind = .base,
        logger: Logger = Logger(label: "emu.memory")
    ) throws(GuestMemoryError) -> RAMBlock {
        guard byteCount > .zero, byteCount.isMultiple(of: hostPageSize) else {
            throw GuestMemoryError(
                code: .invalidSize,
                context: "RAM block \(name) cannot have \(byteCount) bytes: its size must be a multiple of "
                    + "the host's page size, \(hostPageSize), and above zero; choose another size"
            )
        }
        let setting = AvailableMemory.current.read(PageKind.shmemPath)
        var kind = pages
        while true {
            var reason = kind.obstacle(byteCount: byteCount, shmemSetting: setting)
            if reason == nil {
                do throws(SystemCallFailure) {
                    return try RAMBlock(name: name, byteCount: byteCount, pages: kind)
                } catch {
                    if kind == .base { throw allocationError(name: name, byteCount: byteCount, error) }
                    reason = "\(error)"
                }
            }
            let lesser = kind.fallback ?? .base
            logger.warning(
                "RAM block falls back to smaller pages",
                metadata: [
                    "block": "\(name)", "size": "\(byteCount)", "wanted": "\(kind.rawValue)",
                    "gets": "\(lesser.rawValue)", "reason": "\(reason ?? "")",
                ]
            )
            kind = lesser
        }
    }

    private static func allocationError(
        name: String, byteCount: ByteCount, _ failure: SystemCallFailure
    ) -> GuestMemoryError {
        let advice =
            switch failure.errno {
            case .tooManyOpenFiles, .tooManyOpenFilesInSystem: "raise the limit of open files (ulimit -n)"
            case .fileTooLarge: "choose a smaller size, or raise the limit of a file's size (ulimit -f)"
            case .noMemory, .invalidArgument, .overflow:
                "choose a smaller size, or raise the address space limit (ulimit -v)"
            default: "see memfd_create(2) and mmap(2) for this errno"
            }
        return GuestMemoryError(
            code: .allocationFailed,
            context: "RAM block \(name) of \(byteCount) cannot be allocated: \(failure); \(advice)",
            errno: failure.errno
        )
    }
}
