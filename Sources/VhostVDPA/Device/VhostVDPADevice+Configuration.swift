internal import CLinux
public import SystemPackage

/// The device's configuration space: `struct vhost_vdpa_config` is offset, length and the bytes behind them.
extension VhostVDPADevice {
    /// GET_CONFIG_SIZE: the size in bytes.
    public func configurationSize() throws(VhostVDPAError) -> UInt32 {
        try number(clinux_vdpa_get_config_size)
    }

    /// GET_CONFIG: `count` bytes from `offset`. EINVAL for none, and beyond the end.
    public func configuration(offset: UInt32, count: UInt32) throws(VhostVDPAError) -> [UInt8] {
        var buffer = header(offset: offset, count: count) + [UInt8](repeating: 0, count: Int(count))
        try call(clinux_vdpa_get_config, with: &buffer)
        return Array(buffer[Self.headerByteCount...])
    }

    /// SET_CONFIG: writes `bytes` from `offset`.
    public func setConfiguration(offset: UInt32, _ bytes: [UInt8]) throws(VhostVDPAError) {
        var buffer = header(offset: offset, count: UInt32(bytes.count)) + bytes
        try call(clinux_vdpa_set_config, with: &buffer)
    }

    /// SET_CONFIG_CALL: the eventfd for configuration interrupts; `nil` unbinds.
    public func setConfigurationInterrupt(_ descriptor: FileDescriptor?) throws(VhostVDPAError) {
        var value = descriptor?.rawValue ?? -1
        try call(clinux_vdpa_set_config_call, with: &value)
    }

    private static var headerByteCount: Int { 8 }

    private func header(offset: UInt32, count: UInt32) -> [UInt8] {
        [offset, count].flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    }

    private func call(_ request: UInt, with buffer: inout [UInt8]) throws(VhostVDPAError) {
        try unsafe buffer.withUnsafeMutableBufferPointer { (bytes) throws(VhostVDPAError) in
            try call(request, UInt(bitPattern: bytes.baseAddress))
        }
    }
}
