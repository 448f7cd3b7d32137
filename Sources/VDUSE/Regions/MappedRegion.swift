internal import CLinux
internal import Glibc
package import GuestMemory
internal import LinuxHost
package import SystemPackage
internal import VirtQueue

/// A region of the driver's memory, mapped here: unmapped with the object.
///
/// Of a device that Linux's own driver has it is a part of the bounce buffers, or of what was allocated for rings, and of
/// one that vhost-vdpa has a part of the file that its owner mapped there (drivers/vdpa/vdpa_user/iova_domain.c).
/// What is mapped are whole pages of that file, huge ones where it has those, and no page is reserved: its owner has what
/// the region has of them. The memory is as long as its owner leaves it: who cuts that file has this process end with
/// SIGBUS, as any process that maps a file of somebody else's.
@safe
package final class MappedRegion: Sendable {
    /// The addresses, where they are, and what the device may do there.
    package let entry: TranslationEntry
    /// Where the region begins in its file: with the addresses what tells regions apart while they are mapped.
    package let fileOffset: UInt64
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer
    private let byteCount: UInt64

    /// Maps the region `range`, which begins at `fileOffset` of `file`. The file may be closed afterwards.
    package init(
        _ range: AddressRange<IOVirtualAddress>, access: MemoryAccess, file: FileDescriptor,
        fileOffset: UInt64
    ) throws(VDUSEError) {
        func refusal(_ errno: Errno?, _ context: String? = nil) -> VDUSEError {
            VDUSEError(.map, call: "mmap of the driver's memory at \(range)", errno: errno, context: context)
        }
        guard let count = range.byteCount?.rawValue, count < 1 << 62, fileOffset < 1 << 62 else {
            throw refusal(nil, "no file is as long")
        }
        let span = FileSpan(of: file, offset: fileOffset, byteCount: count)
        byteCount = span.byteCount
        let protection =
            (access.contains(.read) ? PROT_READ : 0) | (access.contains(.write) ? PROT_WRITE : 0)
        var address: UnsafeMutableRawPointer?
        let result = unsafe clinux_mmap(
            &address, Int(byteCount), protection, MAP_SHARED | MAP_NORESERVE, file.rawValue,
            off_t(span.offset))
        guard result == 0, let address = unsafe address else {
            let errno = Errno(rawValue: -result)
            throw refusal(errno, Shortage.advice(errno))
        }
        unsafe base = address
        self.fileOffset = fileOffset
        entry = TranslationEntry(
            range: range, host: HostAddress(rawValue: UInt64(UInt(bitPattern: address)) + span.inset),
            access: access)
    }

    /// Whether this is that part of the driver's memory, as long as the kernel has told of no change.
    package func isMapping(
        of range: AddressRange<IOVirtualAddress>, _ access: MemoryAccess, fileOffset: UInt64
    ) -> Bool {
        entry.range == range && entry.access == access && self.fileOffset == fileOffset
    }

    /// The used index of a split ring whose used ring is at `address`; `nil` where that is not in this region, or not where
    /// a ring can be.
    package func usedIndex(at address: IOVirtualAddress) -> UInt16? {
        guard let words = AddressRange(first: address, byteCount: ByteCount(4)), entry.range.contains(words),
            entry.access.contains(.read), let distance = address.distance(from: entry.range.first),
            let host = entry.host.advanced(by: distance)
        else { return nil }
        return withExtendedLifetime(self) { unsafe UsedIndex(usedRing: host)?.value }
    }

    /// Never unmaps the region, as somebody may use it as long as this process lives.
    func keep() { _ = unsafe Unmanaged.passRetained(self) }

    deinit { _ = unsafe clinux_unmap(base, byteCount) }
}
