internal import GuestMemory
internal import Logging
internal import VhostVDPA

/// Which sections a device can be given.
struct SectionFilter {
    /// The addresses the device can use.
    let iovaRange: IOVARange
    let limits: MapLimits
    let logger: Logger

    /// The maps of those `sections` that can have one; the others are logged by name.
    ///
    /// A section that the device cannot reach, or would silently go without, is an error: the guest would run
    /// with a hole in its device's memory.
    func maps(of sections: [MemorySection]) throws(BackendError) -> [MemoryMap] {
        var maps: [MemoryMap] = []
        for section in sections {
            do throws(MemoryMap.Omission) {
                maps.append(try MemoryMap.of(section, pageSize: limits.pageSize))
            } catch {
                report(error, section)
            }
        }
        for map in maps {
            try checkRange(map)
        }
        if !maps.isEmpty, let shared = limits.sharedMappings() {
            for map in maps { try checkShared(map, shared) }
        }
        return maps
    }

    private func checkRange(_ map: MemoryMap) throws(BackendError) {
        guard !iovaRange.contains(map.entry.range) else { return }
        let manner = iovaRange.overlaps(map.entry.range) ? "reaches beyond" : "lies outside"
        throw BackendError(
            .sectionOutsideRange,
            "memory \(map.section.title) \(manner) the addresses the device can use, \(iovaRange)"
                + " (IOVA range): give the guest less memory, or a device with a wider range")
    }

    private func checkShared(
        _ map: MemoryMap, _ shared: [AddressRange<HostAddress>]
    ) throws(BackendError) {
        guard let byteCount = map.entry.range.byteCount,
            let host = AddressRange(first: map.entry.host, byteCount: byteCount),
            shared.contains(where: { $0.contains(host) })
        else {
            throw BackendError(
                .memoryNotShared,
                "memory \(map.section.title) is not a shared file mapping at \(map.entry.host): a device that"
                    + " uses virtual addresses (use_va) would skip it and report success; use memfd_create and"
                    + " mmap with MAP_SHARED")
        }
    }

    private func report(_ omission: MemoryMap.Omission, _ section: MemorySection) {
        switch omission {
        case .device: logger.debug("no map for \(section.title): a device's registers")
        case .belowOnePage:
            logger.warning(
                "no map for \(section.title): no whole host page (\(limits.pageSize.rawValue) bytes) lies in it"
            )
        case .misaligned:
            logger.warning(
                """
                no map for \(section.title): guest address and host address differ within a host page \
                (\(limits.pageSize.rawValue) bytes); the device cannot reach it
                """)
        }
    }
}
