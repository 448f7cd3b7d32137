internal import SystemPackage

/// What feeds a guest's driver with frames, and takes what it receives, open.
package struct GuestPort: ~Copyable, Sendable {
    /// How frames move there.
    enum Kind {
        /// Numbered, checksummed ones go out, each checked when it comes back.
        case generator
        /// Through a ``FrameFile``.
        case file
        /// Nothing is sent; what is received is dropped.
        case none
    }

    let kind: Kind
    private let file: (any FrameFile)?
    /// Where the frames that pass are recorded; `nil` where they are not.
    let capture: CaptureFile?
    /// The queue pair that the port is for: the number of its interface in ``capture``.
    private let pair: Int

    private init(
        _ kind: Kind, file: (any FrameFile)? = nil, capture: CaptureFile? = nil, pair: Int = 0
    ) {
        self.kind = kind
        self.file = file
        self.capture = capture
        self.pair = pair
    }

    /// Numbered, checksummed frames, each checked when it comes back.
    package static var generator: GuestPort { GuestPort(.generator) }
    /// Nothing is sent; what is received is dropped.
    package static var none: GuestPort { GuestPort(.none) }
    /// Frames from a file, and received ones into it.
    static func file(_ file: any FrameFile) -> GuestPort { GuestPort(.file, file: file) }

    /// Opens the port that `specification` names, with room for `queuePairs`. `notice` takes what there is to know of it.
    package init(
        opening specification: PortSpecification, queuePairs: Int, notice: @escaping (String) -> Void
    ) throws(PortError) {
        try specification.check(at: .guest)
        self = try specification.kind.openGuest(PortOpening(queuePairs: queuePairs, notice: notice))
    }

    /// The port of a further queue pair: a generator of its own, one more queue of the file, or nothing as here. `nil`
    /// where there can be only one.
    func another(_ pair: Int) throws(PortError) -> GuestPort? {
        guard let file else { return GuestPort(kind, capture: capture, pair: pair) }
        guard let another = try file.another() else { return nil }
        return GuestPort(kind, file: another, capture: capture, pair: pair)
    }

    /// The port, with every frame that passes it recorded in `capture`, which has an interface for each queue pair.
    consuming func recorded(in capture: CaptureFile) -> GuestPort {
        GuestPort(kind, file: file, capture: capture, pair: pair)
    }

    /// How the worker of this port's queue pair is to record its frames; `nil` where it is not to.
    var recorder: CaptureWriter? { capture?.writer(pair) }

    /// The MTU of the port's interface, where it has one that can be asked for.
    package var mtu: Int? { file?.mtu }

    /// What the worker reads and writes, where the port is a file. Valid while the port lives.
    var descriptor: FileDescriptor? { file?.descriptor }
}
