/// A virtio device's status, with the bits of virtio 1.2, section 2.1.
///
/// Through vhost-vdpa bits may only be added; the one other move is to ``reset`` (drivers/vhost/vdpa.c).
public struct DeviceStatus: OptionSet, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt8

    /// Makes a value of its number.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// No bit at all: writing it resets the device.
    @inlinable public static var reset: DeviceStatus { DeviceStatus(rawValue: 0) }
    /// The driver has noticed the device.
    @inlinable public static var acknowledge: Self { Self(rawValue: 1) }  // VIRTIO_CONFIG_S_ACKNOWLEDGE
    /// The driver knows how to drive the device.
    @inlinable public static var driver: Self { Self(rawValue: 2) }  // VIRTIO_CONFIG_S_DRIVER
    /// The driver is set up: the device runs.
    @inlinable public static var driverOK: Self { Self(rawValue: 4) }  // VIRTIO_CONFIG_S_DRIVER_OK
    /// The device accepts the negotiated features.
    @inlinable public static var featuresOK: Self { Self(rawValue: 8) }  // VIRTIO_CONFIG_S_FEATURES_OK
    /// The device met an error that only a reset cures.
    @inlinable public static var needsReset: Self { Self(rawValue: 0x40) }  // VIRTIO_CONFIG_S_NEEDS_RESET
    /// The driver has given up on the device.
    @inlinable public static var failed: Self { Self(rawValue: 0x80) }  // VIRTIO_CONFIG_S_FAILED
}

extension DeviceStatus: CustomStringConvertible {
    /// The number and the names of its bits, as `0x0f (ACKNOWLEDGE|DRIVER|DRIVER_OK|FEATURES_OK)`.
    public var description: String {
        describeBits(
            UInt128(rawValue),
            names: [
                0: "ACKNOWLEDGE", 1: "DRIVER", 2: "DRIVER_OK", 3: "FEATURES_OK", 6: "NEEDS_RESET",
                7: "FAILED",
            ])
    }
}
