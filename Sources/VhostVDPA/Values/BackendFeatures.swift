internal import Virtio

/// What vhost-vdpa itself can do beyond the virtio device (`VHOST_BACKEND_F_*`, linux/vhost_types.h).
///
/// The acknowledgement survives a status reset and ends with the open file. No bit from 9 on exists up to
/// Linux 7.3; the kernel refuses those with EOPNOTSUPP.
public struct BackendFeatures: OptionSet, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt64

    /// Makes a value of its number.
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// IOTLB messages of the second form, which carry an address space.
    @inlinable public static var messageV2: Self { Self(rawValue: 1 << 1) }  // VHOST_BACKEND_F_IOTLB_MSG_V2
    /// BATCH_BEGIN and BATCH_END: one `set_map` call for many messages.
    @inlinable public static var iotlbBatch: Self { Self(rawValue: 1 << 2) }  // VHOST_BACKEND_F_IOTLB_BATCH
    /// More than one address space.
    @inlinable public static var iotlbASID: Self { Self(rawValue: 1 << 3) }  // VHOST_BACKEND_F_IOTLB_ASID
    /// The device can be stopped with its ring state intact.
    @inlinable public static var suspend: Self { Self(rawValue: 1 << 4) }  // VHOST_BACKEND_F_SUSPEND
    /// A suspended device can go on without a reset.
    @inlinable public static var resume: Self { Self(rawValue: 1 << 5) }  // VHOST_BACKEND_F_RESUME
    /// Queues may be enabled after DRIVER_OK (VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK).
    @inlinable public static var enableAfterDriverOK: Self { BackendFeatures(rawValue: 1 << 6) }
    /// Descriptor tables can be in an address space of their own.
    @inlinable public static var descriptorASID: Self { Self(rawValue: 1 << 7) }  // VHOST_BACKEND_F_DESC_ASID
    /// The device's maps survive a reset (VHOST_BACKEND_F_IOTLB_PERSIST).
    @inlinable public static var iotlbPersist: Self { Self(rawValue: 1 << 8) }
}

extension BackendFeatures: CustomStringConvertible {
    /// The number and the names of its bits.
    public var description: String {
        describeBits(
            UInt128(rawValue),
            names: [
                1: "IOTLB_MSG_V2", 2: "IOTLB_BATCH", 3: "IOTLB_ASID", 4: "SUSPEND", 5: "RESUME",
                6: "ENABLE_AFTER_DRIVER_OK", 7: "DESC_ASID", 8: "IOTLB_PERSIST",
            ])
    }
}
