/// The optional operations of `vdpa_config_ops` that a parent has; vhost-vdpa looks before it calls.
package struct ParentOperations: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let resetMap = Self(rawValue: 1 << 0)
    package static let compatReset = Self(rawValue: 1 << 1)
    package static let suspend = Self(rawValue: 1 << 2)
    package static let resume = Self(rawValue: 1 << 3)
    package static let queueGroup = Self(rawValue: 1 << 4)
    package static let descriptorGroup = Self(rawValue: 1 << 5)
    package static let setGroupAddressSpace = Self(rawValue: 1 << 6)
    package static let queueSize = Self(rawValue: 1 << 7)
}
