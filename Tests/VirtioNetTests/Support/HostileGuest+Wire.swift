import TestSupport
import VirtioNet

extension HostileGuest {
    /// A guest of a network card on `wire`.
    convenience init(wire: consuming sending WirePort) throws {
        let events = DeviceEvents()
        try self.init(
            device: NetworkDevice(name: "device", port: wire) { events.append($0) }, events: events)
    }
}
