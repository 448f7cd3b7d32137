/// What kind of device a virtio device is (virtio 1.2, section 5).
public struct VirtioDeviceID: RawRepresentable, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt32

    /// Makes a value of its number.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// A network card.
    @inlinable public static var network: VirtioDeviceID { VirtioDeviceID(rawValue: 1) }
    /// A block device.
    @inlinable public static var block: VirtioDeviceID { VirtioDeviceID(rawValue: 2) }
}
