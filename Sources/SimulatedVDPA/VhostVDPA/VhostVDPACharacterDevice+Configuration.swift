internal import GuestMemory
internal import SystemPackage

/// The configuration space, its interrupt and the device's limits.
extension VhostVDPACharacterDevice {
    /// `struct vhost_vdpa_config`: a header of two words, then the bytes.
    private static var headerByteCount: UInt { 8 }

    func getConfiguration(_ argument: UInt) throws(Errno) {
        let (offset, count) = try configurationRange(argument)
        let bytes = parent.configuration(at: offset, count: count)
        try CallerMemory.store(bytes: bytes, at: argument &+ Self.headerByteCount)
    }

    func setConfiguration(_ argument: UInt) throws(Errno) {
        let (offset, count) = try configurationRange(argument)
        let bytes = try CallerMemory.bytes(at: argument &+ Self.headerByteCount, count: count)
        parent.setConfiguration(bytes, at: offset)
    }

    /// The bytes a header names; the kernel turns every objection into EINVAL.
    private func configurationRange(_ argument: UInt) throws(Errno) -> (offset: Int, count: Int) {
        let header = try CallerMemory.load(UInt64.self, at: argument)
        let offset = Int(UInt32(truncatingIfNeeded: header))
        let count = Int(UInt32(truncatingIfNeeded: header >> 32))
        let size = description.configurationSize
        guard count > 0, offset <= size, count <= size - offset else { throw .invalidArgument }
        return (offset, count)
    }

    /// A descriptor that is refused leaves the earlier one bound.
    func setConfigurationCall(_ argument: UInt) throws(Errno) {
        let descriptor = try CallerMemory.load(Int32.self, at: argument)
        parent.setConfigurationCall(try eventFile(descriptor))
    }

    func getIOVARange(_ argument: UInt) throws(Errno) {
        let range = description.iovaRange
        var bytes: [UInt8] = []
        for word in [range.first.rawValue, range.last.rawValue] {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        try CallerMemory.store(bytes: bytes, at: argument)
    }

    /// `VHOST_SET_MEM_TABLE`: checked and forgotten, vhost-vdpa translates by IOTLB alone.
    func setMemoryTable(_ argument: UInt) throws(Errno) {
        let header = try CallerMemory.load(UInt64.self, at: argument)
        let regions = UInt32(truncatingIfNeeded: header)
        guard header >> 32 == 0 else { throw .operationNotSupported }
        guard regions <= 64 else { throw .argListTooLong }  // max_mem_regions
        _ = try CallerMemory.bytes(at: argument &+ 8, count: Int(regions) * 32)
    }

    /// The eventfd behind a caller's number; -1 is none.
    func eventFile(_ descriptor: Int32) throws(Errno) -> EventFile? {
        descriptor == -1 ? nil : try EventFile(callerDescriptor: descriptor)
    }
}
