internal import SystemPackage

/// A TAP as a port's file.
final class TAPFile: FrameFile {
    private let device: TAPDevice

    init(_ device: consuming TAPDevice) { self.device = device }

    var descriptor: FileDescriptor { device.descriptor }

    var mtu: Int? { device.status?.mtu }

    func another() throws(PortError) -> (any FrameFile)? {
        guard let queue = try device.anotherQueue() else { return nil }
        return TAPFile(queue)
    }
}

extension WirePort {
    /// Frames leave through, and come from, a TAP device.
    package static func tap(_ device: consuming TAPDevice) -> WirePort { .file(TAPFile(device)) }
}

extension GuestPort {
    /// Frames from a TAP device, and received ones into it.
    package static func tap(_ device: consuming TAPDevice) -> GuestPort { .file(TAPFile(device)) }
}
