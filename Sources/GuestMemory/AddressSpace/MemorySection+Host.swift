extension MemorySection {
    /// The host address behind `address`, or `nil` where that is outside the section or not memory.
    public func hostAddress(of address: GuestPhysicalAddress) -> HostAddress? {
        guard range.contains(address), case .memory(let host) = backing else { return nil }
        return host.advanced(by: ByteCount(rawValue: address.rawValue - range.first.rawValue))
    }
}
