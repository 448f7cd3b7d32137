internal import SystemPackage

/// What a vDPA device's parent driver counts of one queue, under the names it gives its counters.
///
/// Linux 6.12's vdpa_sim_net counts packets, bytes, errors and overruns of its queues since it was made; mlx5
/// counts descriptors; vp_vdpa nothing. Linux 6.1 knows the question but its simulator has no answer.
package struct VendorStatistics: Hashable, Sendable {
    /// The counters by name, as `rx overruns`.
    package let counters: [String: UInt64]

    /// The counters of an answer: each name is followed by its value.
    init(_ attributes: [NetlinkMessage.Attribute]) {
        var counters: [String: UInt64] = [:]
        var name: String?
        for attribute in attributes {
            switch attribute.type {
            case Attribute.counterName: name = attribute.text
            case Attribute.counterValue:
                if let name { counters[name] = attribute.number }
                name = nil
            default: break
            }
        }
        self.counters = counters
    }

    /// The counter of that name, 0 where the parent has none.
    package subscript(name: String) -> UInt64 { counters[name] ?? 0 }

    enum Attribute {
        static let deviceName: UInt16 = 4  // VDPA_ATTR_DEV_NAME
        static let queueIndex: UInt16 = 17  // VDPA_ATTR_DEV_QUEUE_INDEX
        static let counterName: UInt16 = 18  // VDPA_ATTR_DEV_VENDOR_ATTR_NAME
        static let counterValue: UInt16 = 19  // VDPA_ATTR_DEV_VENDOR_ATTR_VALUE
    }
}
