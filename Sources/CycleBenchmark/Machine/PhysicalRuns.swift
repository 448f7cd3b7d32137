internal import GuestMemory
internal import SystemPackage

/// How guest memory lies in the machine's: an IOTLB entry of pinned memory covers one contiguous run.
enum PhysicalRuns {
    /// The number of physically contiguous runs that the pages of `numbers` make, in their order: the frame
    /// number of each page, zero for one that is not resident or not shown. `nil` where there is such a page.
    static func count(_ numbers: some Sequence<UInt64>) -> Int? {
        var runs = 0
        var last: UInt64?
        for number in numbers {
            guard number != 0 else { return nil }
            if last.map({ $0 + 1 }) != number { runs += 1 }
            last = number
        }
        return runs
    }

    /// The runs of `sections`, each counted on its own, as each is mapped on its own.
    ///
    /// `nil` without CAP_SYS_ADMIN, to whom alone the kernel shows frame numbers (admin-guide/mm/pagemap).
    static func count(in sections: [MemorySection]) -> Int? {
        let path: FilePath = "/proc/self/pagemap"
        guard
            let file = try? FileDescriptor.open(
                path, .readOnly, options: .closeOnExec, retryOnInterrupt: false)
        else {
            return nil
        }
        defer { try? file.close() }
        var total = 0
        for section in sections {
            guard case .memory(let host) = section.backing, let byteCount = section.range.byteCount,
                let numbers = frames(file, host, byteCount), let runs = count(numbers)
            else { return nil }
            total += runs
        }
        return total
    }

    private static func frames(
        _ file: FileDescriptor, _ host: HostAddress, _ byteCount: ByteCount
    ) -> [UInt64]? {
        let pageSize = RAMBlock.hostPageSize.rawValue
        var entries = [UInt64](repeating: 0, count: Int(byteCount.rawValue / pageSize))
        var done = 0
        while done < entries.count {
            let read = unsafe entries.withUnsafeMutableBytes { bytes in
                try? unsafe file.read(
                    fromAbsoluteOffset: Int64(host.rawValue / pageSize * 8) + Int64(done * 8),
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[(done * 8)...]),
                    retryOnInterrupt: false)
            }
            guard let read, read >= 8 else { return nil }
            done += read / 8
        }
        // Bit 63: present; bits 0 to 54: the frame's number.
        return entries.map { $0 >> 63 == 1 ? $0 & ((1 << 55) - 1) : 0 }
    }
}
