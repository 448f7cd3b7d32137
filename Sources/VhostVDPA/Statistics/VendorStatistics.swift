internal import SystemPackage

/// What a vDPA device's parent driver counts of one queue, under the names it gives its counters.
///
/// Linux 6.12's vdpa_sim_net counts packets, bytes, errors and overruns of its queues since it was made; mlx5
/// counts descriptors; vp_vdpa nothing. Linux 6.1 knows the question but its simulator has no answer.
public struct VendorStatistics: Hashable, Sendable {
    /// The counters by name, as `rx overruns`.
    public let counters: [String: UInt64]

    /// Reads the counters of queue `vring` of the vDPA device `name`, as `vdpa dev vstats show` does (linux/vdpa.h).
    ///
    /// Needs CAP_NET_ADMIN, and a device with features negotiated. Errors: EPERM; EAGAIN before FEATURES_OK;
    /// EOPNOTSUPP where the parent counts nothing; ENODEV; ENOENT where the kernel has no vDPA.
    public static func read(device name: String, vring: VringIndex) throws(VhostVDPAError) -> VendorStatistics
    {
        do throws(Errno) {
            let socket = try GenericNetlinkSocket()
            let family = try socket.family("vdpa")
            let answer = try socket.ask(
                NetlinkMessage(
                    type: family, command: Command.statistics,
                    attributes: [
                        .string(Attribute.deviceName, name), .word(Attribute.queueIndex, vring.rawValue),
                    ]))
            return VendorStatistics(answer.attributes)
        } catch {
            throw VhostVDPAError(
                .statistics, call: "VDPA_CMD_DEV_VSTATS_GET(device: \(name), queue: \(vring))", errno: error)
        }
    }

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
    public subscript(name: String) -> UInt64 { counters[name] ?? 0 }

    private enum Command {
        static let statistics: UInt8 = 7  // VDPA_CMD_DEV_VSTATS_GET
    }

    enum Attribute {
        static let deviceName: UInt16 = 4  // VDPA_ATTR_DEV_NAME
        static let queueIndex: UInt16 = 17  // VDPA_ATTR_DEV_QUEUE_INDEX
        static let counterName: UInt16 = 18  // VDPA_ATTR_DEV_VENDOR_ATTR_NAME
        static let counterValue: UInt16 = 19  // VDPA_ATTR_DEV_VENDOR_ATTR_VALUE
    }
}
