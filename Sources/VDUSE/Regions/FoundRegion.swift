package import GuestMemory
package import SystemPackage

/// A region of the driver's memory, as the kernel has it, with what has become of it here.
package enum FoundRegion {
    case mapped(MappedRegion)
    case unreachable(UnreachableRegion)

    /// Maps `range`, which begins at `fileOffset` of `file`, where that permits it.
    ///
    /// - Throws: Every other refusal: ``VDUSEError/Code/map``.
    package init(
        mapping range: AddressRange<IOVirtualAddress>, access: MemoryAccess, file: FileDescriptor,
        fileOffset: UInt64
    ) throws(VDUSEError) {
        do throws(VDUSEError) {
            self = .mapped(try MappedRegion(range, access: access, file: file, fileOffset: fileOffset))
        } catch {
            // mmap(2): EACCES for how the file was opened, EPERM for how it is sealed.
            guard error.errno == .permissionDenied || error.errno == .notPermitted else { throw error }
            self = .unreachable(UnreachableRegion(range: range, reason: error))
        }
    }

    package var range: AddressRange<IOVirtualAddress> {
        switch self {
        case .mapped(let region): region.entry.range
        case .unreachable(let region): region.range
        }
    }
}

/// A region whose file does not permit to map it as the driver has: one that may be written and was opened to be read, or
/// one that was opened to be written alone.
package struct UnreachableRegion: Hashable, Sendable {
    package let range: AddressRange<IOVirtualAddress>
    /// The refusal.
    package let reason: VDUSEError
}
