internal import SystemPackage

/// What stands at the far end of a simulated device's wire, open.
package struct WirePort: ~Copyable, Sendable {
    /// How frames move there.
    enum Kind {
        /// Every transmitted frame comes back.
        case loopback
        /// Through a ``FrameFile``.
        case file
        /// Not at all: transmitted frames are gone, none come in.
        case none
    }

    let kind: Kind
    private let file: (any FrameFile)?
    /// Where the frames that pass are recorded; `nil` where they are not.
    let capture: CaptureFile?
    /// The queue pair that the port is for: the number of its interface in ``capture``.
    private let pair: Int

    private init(
        _ kind: Kind, file: (any FrameFile)? = nil,
        capture: CaptureFile? = nil, pair: Int = 0
    ) {
        self.kind = kind
        self.file = file
        self.capture = capture
        self.pair = pair
    }

    /// Every transmitted frame comes back.
    package static var loopback: WirePort { WirePort(.loopback) }
    /// Transmitted frames are gone, none come in.
    package static var none: WirePort { WirePort(.none) }
    /// Frames leave through, and come from, a file.
    static func file(_ file: any FrameFile) -> WirePort { WirePort(.file, file: file) }

    /// Opens the port that `specification` names, with room for `queuePairs`. `notice` takes what there is to know of it.
    package init(
        opening specification: PortSpecification, queuePairs: Int, notice: @escaping (String) -> Void
    ) throws(PortError) {
        try specification.check(at: .wire)
        self = try specification.kind.openWire(PortOpening(queuePairs: queuePairs, notice: notice))
    }

    /// The wire of a further queue pair: a loop of its own, one more queue of the file, or nothing as here. `nil` where
    /// there can be only one.
    func another(_ pair: Int) throws(PortError) -> WirePort? {
        guard let file else { return WirePort(kind, capture: capture, pair: pair) }
        guard let another = try file.another() else { return nil }
        return WirePort(kind, file: another, capture: capture, pair: pair)
    }

    /// The port, with every frame that passes it recorded in `capture`, which has an interface for each queue pair.
    consuming func recorded(in capture: CaptureFile) -> WirePort {
        WirePort(kind, file: file, capture: capture, pair: pair)
    }

    /// How the worker of this port's queue pair is to record its frames; `nil` where it is not to.
    var recorder: CaptureWriter? { capture?.writer(pair) }

    /// The MTU of the port's interface, where it has one that can be asked for.
    var mtu: Int? { file?.mtu }

    /// What the worker reads and writes, where the port is a file. Valid while the port lives.
    var descriptor: FileDescriptor? { file?.descriptor }
}
