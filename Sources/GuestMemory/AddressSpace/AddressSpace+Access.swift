/// Guest memory as a VMM's own code reads and writes it: to load a kernel, to look at a buffer.
///
/// A device's workers do not come this way: they translate once and keep the pointer.
extension AddressSpace {
    /// Writes `bytes` from `address` on, as the guest's own store would.
    ///
    /// The guest and its devices may use the memory at the same time; no byte is written twice, and there is no order
    /// among them. O(n).
    ///
    /// - Throws: ``GuestMemoryError/Code/outsideMemory``, with nothing written, unless all of it is memory that can be
    ///   written and is contiguous in the host.
    public func write(_ bytes: [UInt8], at address: GuestPhysicalAddress) throws(GuestMemoryError) {
        let memory = unsafe try buffer(bytes.count, at: address, access: .write)
        unsafe memory.copyBytes(from: bytes)
    }

    /// Reads `byteCount` bytes from `address` on, as the guest's own load would. O(n).
    ///
    /// - Throws: ``GuestMemoryError/Code/outsideMemory`` unless all of it is memory and contiguous in the host.
    public func read(
        _ byteCount: Int, at address: GuestPhysicalAddress
    ) throws(GuestMemoryError) -> [UInt8] {
        unsafe Array(try buffer(byteCount, at: address, access: .read))
    }

    /// The host memory of these guest addresses, which the view holds while this call's caller does.
    private func buffer(
        _ byteCount: Int, at address: GuestPhysicalAddress, access: MemoryAccess
    ) throws(GuestMemoryError) -> UnsafeMutableRawBufferPointer {
        guard byteCount > 0 else { return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        guard let range = AddressRange(first: address, byteCount: ByteCount(byteCount)),
            let host = view.hostRange(of: range, access: access)
        else {
            throw GuestMemoryError(
                code: .outsideMemory,
                context: "\(byteCount) bytes at \(address) are not all memory that can be "
                    + "\(access.contains(.write) ? "written" : "read") and is contiguous in the host: look at the "
                    + "address space's view, or take it in parts"
            )
        }
        return unsafe UnsafeMutableRawBufferPointer(
            start: UnsafeMutableRawPointer(bitPattern: UInt(host.first.rawValue)), count: byteCount)
    }
}
