internal import EmulatedMachine
internal import Virtio
internal import VirtioNet

/// What is looked at once a second while a VDUSE device is served: the recorded frames go to their file, and who watches
/// is told when the port refuses frames, and when the recording is broken off.
struct VDUSEWatch {
    private let network: any NetworkDataPath
    private let wire: PortSpecification
    private var refusals: Set<PortRefusal> = []
    private var isCaptureBroken = false

    init(network: any NetworkDataPath, wire: PortSpecification) {
        self.network = network
        self.wire = wire
    }

    mutating func look() {
        network.flushCapture()
        for queue in network.queues.frameQueues {
            let errno = network.account(queue).lastRefusal
            guard errno != 0 else { continue }
            let refusal = PortRefusal(port: wire, errno: errno, hasMoved: wire.hasMoved)
            if refusals.insert(refusal).inserted { Console.shared.print("emu: \(refusal)") }
        }
        if let capture = network.capture, let failure = capture.outcome.failure, !isCaptureBroken {
            isCaptureBroken = true
            Console.shared.print("emu: the capture \(capture.path) broke off: \(failure)")
        }
    }
}
