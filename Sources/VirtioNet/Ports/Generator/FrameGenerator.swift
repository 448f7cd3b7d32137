internal import Virtio

/// A guest's traffic: numbered, checksummed frames, each followed until it comes back.
struct FrameGenerator: ~Copyable {
    /// How many frames the driver makes or checks before it looks at the other direction.
    static let batchSize = 256
    /// Room for the frames of the largest rings several times over.
    private static let ledgerWindow = 1 << 18

    private let format: GeneratedFrame
    private let frameByteCount: Int
    /// How many frames may be on their way: as many as receive buffers stand ready, so that a device never has to
    /// drop one for want of a buffer.
    private let window: UInt64
    /// Frames below this number are no longer on their way: a later one is back, or they were abandoned.
    private var newest: UInt64 = 0
    /// Frames below this number are not waited for. They may still be on their way.
    private var unawaited: UInt64 = 0
    private var ledger = FrameLedger(window: ledgerWindow)
    private var remaining: UInt64 = 0

    init(_ configuration: DriverConfiguration) {
        format = GeneratedFrame(
            destination: configuration.deviceAddress, source: MACAddress(0x02_00_00_65_6d_75),
            run: .random(in: .min ... .max))
        window = configuration.expectsReturn ? UInt64(configuration.queueSize) : .max
        frameByteCount = min(
            max(configuration.frameByteCount, GeneratedFrame.minimumLength),
            DriverBuffers.defaultStride - NetworkHeader.byteCount)
    }

    /// What became of the frames so far.
    var counts: FrameCounts { ledger.counts }

    /// How many frames it was given to check.
    var checked: UInt64 { ledger.counts.arrived }

    /// The number of the frame that is made next: how many were made.
    var nextSequence: UInt64 { ledger.nextSequence }

    /// Whether there are frames to send, now or later.
    var isRunning: Bool { remaining > 0 }

    /// How many frames may be sent now, a batch at the most.
    var room: Int {
        let free = window - min(window, ledger.nextSequence - max(newest, unawaited))
        return Int(min(free, remaining, UInt64(Self.batchSize)))
    }

    /// Allows `limit` more frames.
    mutating func start(limit: UInt64) { remaining = limit }

    /// Allows none any more.
    mutating func stop() { remaining = 0 }

    /// Writes the next frame, number ``nextSequence``, behind an empty header and returns its length, header included.
    @inline(__always)
    mutating func next(into bytes: UnsafeMutableRawBufferPointer) -> Int {
        let sequence = ledger.send()
        let byteCount = NetworkHeader.byteCount &+ frameByteCount
        unsafe NetworkHeader().write(into: bytes)
        unsafe format.write(
            into: UnsafeMutableRawBufferPointer(rebasing: bytes[NetworkHeader.byteCount..<byteCount]),
            sequence: sequence)
        remaining &-= 1
        return byteCount
    }

    /// Checks a received frame of `byteCount` bytes with its header.
    @inline(__always)
    mutating func check(_ bytes: UnsafeMutableRawBufferPointer, byteCount: Int) {
        guard byteCount > NetworkHeader.byteCount, byteCount <= bytes.count else {
            ledger.receive(.corrupted)
            return
        }
        let verdict = unsafe format.verify(
            UnsafeRawBufferPointer(rebasing: bytes[NetworkHeader.byteCount..<byteCount]))
        if case .intact(let sequence) = verdict, sequence >= newest { newest = sequence &+ 1 }
        ledger.receive(verdict)
    }

    /// Whether frames could be sent if those on their way were not waited for.
    var isWaitingForReturn: Bool { isRunning && room == 0 }

    /// Waits no longer for the frames on their way. They stay outstanding in the account.
    mutating func stopWaiting() { unawaited = ledger.nextSequence }

    /// Gives up every frame on its way, newer than all that have come back, but for `waiting`: those that are still to be
    /// sent.
    mutating func abandonInFlight(except waiting: Set<UInt64> = []) {
        for sequence in newest..<ledger.nextSequence where !waiting.contains(sequence) {
            ledger.abandon(sequence)
        }
        newest = max(newest, waiting.min() ?? ledger.nextSequence)
    }

    /// Gives up a frame whose fate nobody can know.
    mutating func abandon(_ sequence: UInt64) { ledger.abandon(sequence) }
}
