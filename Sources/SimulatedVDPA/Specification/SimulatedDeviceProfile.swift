/// Which network card a simulated device is, by the name the specification uses.
public enum SimulatedDeviceProfile: String, CaseIterable, Sendable {
    /// This project's own: offloads of rings, several queue pairs, any wire, no control queue.
    case standard
    /// The kernel's vdpa_sim_net, with its control queue and its oddities; it loops frames back itself.
    case vdpasimNet = "vdpasim-net"
}
