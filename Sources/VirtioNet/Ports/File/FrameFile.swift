internal import SystemPackage

/// What a worker moves frames through with its ring: each read gives one frame and each write takes one, both behind a
/// 12-byte ``NetworkHeader``, and neither waits (EAGAIN).
protocol FrameFile: AnyObject, Sendable {
    /// Lent, not given: valid while this value lives.
    var descriptor: FileDescriptor { get }
    /// The MTU of the interface behind it, where there is one that can be asked for.
    var mtu: Int? { get }
    /// The like of it for a further queue pair; `nil` where there can be only one.
    func another() throws(PortError) -> (any FrameFile)?
}
