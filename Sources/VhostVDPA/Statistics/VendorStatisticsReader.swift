internal import SystemPackage

/// Reads what a vDPA device's parent driver counts, as `vdpa dev vstats show` does (linux/vdpa.h), while this process has
/// the device open: the kernel answers only while features are negotiated.
///
/// The kernel is asked over netlink, and by children alone (`GenericNetlink`). One thread.
package final class VendorStatisticsReader {
    private let device: String
    private let netlink: GenericNetlink
    /// The number of the kernel's vDPA family, once it is known.
    private var family: UInt16?

    private static let command: UInt8 = 7  // VDPA_CMD_DEV_VSTATS_GET

    /// A reader for the vDPA device that the kernel's tools call `name`. Asks nothing yet.
    package convenience init(device name: String) { self.init(device: name, netlink: GenericNetlink()) }

    init(device name: String, netlink: GenericNetlink) {
        device = name
        self.netlink = netlink
    }

    /// The counters of each of `vrings`, in their order. Takes three seconds at most, and a millisecond as a rule.
    ///
    /// Needs CAP_NET_ADMIN. Errors: EPERM; EAGAIN before FEATURES_OK; EOPNOTSUPP where the parent counts nothing;
    /// ENODEV; ENOENT where the kernel has no vDPA; ETIMEDOUT where the kernel does not answer, as while somebody
    /// removes the device, and from then on.
    package func read(_ vrings: [VringIndex]) throws(VhostVDPAError) -> [VendorStatistics] {
        do throws(Errno) {
            let family = try knownFamily()
            let requests = vrings.map { vring in
                NetlinkMessage(
                    type: family, command: Self.command,
                    attributes: [
                        .string(VendorStatistics.Attribute.deviceName, device),
                        .word(VendorStatistics.Attribute.queueIndex, vring.rawValue),
                    ])
            }
            let answers = try netlink.ask(requests)
            return answers.map { VendorStatistics($0.attributes) }
        } catch {
            let queues = vrings.map { "\($0)" }.joined(separator: ", ")
            throw VhostVDPAError(
                .statistics, call: "VDPA_CMD_DEV_VSTATS_GET(device: \(device), queues: \(queues))",
                errno: error)
        }
    }

    private func knownFamily() throws(Errno) -> UInt16 {
        if let family { return family }
        let found = try netlink.family("vdpa")
        family = found
        return found
    }

    /// Waits for children that did not answer. To be called once the device is closed, which ends their wait.
    package func finish() { netlink.reap() }
}
