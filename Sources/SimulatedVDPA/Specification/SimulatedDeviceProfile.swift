/// Which network card a simulated device is, by the name the specification uses.
public enum SimulatedDeviceProfile: String, CaseIterable, Sendable {
    /// This project's own: offloads of rings, several queue pairs, any wire, no control queue.
    case standard
    /// The kernel's vdpa_sim_net, with its control queue and its oddities; it loops frames back itself.
    case vdpasimNet = "vdpasim-net"
    /// QEMU's virtio-net-pci, as vp_vdpa has it: a control queue, QEMU's features, its configuration space and what it
    /// takes amiss.
    case qemuNet = "qemu-net"

    /// The parent that a device of this profile has without a word.
    var standardParent: SimulatedParentKind {
        switch self {
        case .standard, .vdpasimNet: .setMap
        case .qemuNet: .vpVDPA
        }
    }
}
