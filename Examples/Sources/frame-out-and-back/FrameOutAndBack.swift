import GuestMemory
import LinuxHost
import Logging
import SimulatedVDPA
import SystemPackage
import VhostVDPA
import VhostVDPABackend
import VirtQueue
import Virtio

/// `frame-out-and-back [/dev/vhost-vdpa-N]`: a frame goes out of a guest and comes back, then the device is stopped and
/// started, and the next one does. Without a path the device is a simulated one; a real one has to loop frames back, as
/// vdpa_sim_net does.
@main
struct FrameOutAndBack {
    static func main() throws {
        let memory = try PCMemoryLayout(memory: .mebibytes(64)).addressSpace
        let device: any CharacterDevice =
            if let path = CommandLine.arguments.dropFirst().first {
                try KernelFile(path: FilePath(path))
            } else {
                try SimulatedVDPADevice().open()
            }
        let backend = try VhostVDPABackend(
            device: device, addressSpace: memory, logger: Logger(label: "frame-out-and-back"))

        let receiveRing = try RingGeometry(size: 8).layout(at: 0x10_0000)
        let transmitRing = try RingGeometry(size: 8).layout(at: 0x10_1000)
        var receive = try SplitDriverQueue(layout: receiveRing, in: memory)
        var transmit = try SplitDriverQueue(layout: transmitRing, in: memory)
        let receiveKick = try EventFD()
        let transmitKick = try EventFD()
        let call = try EventFD()
        var queues = [
            VringSetup(index: 0, layout: receiveRing, kick: receiveKick.descriptor, call: call.descriptor),
            VringSetup(index: 1, layout: transmitRing, kick: transmitKick.descriptor, call: call.descriptor),
        ]

        // A virtio-net header, then a broadcast frame.
        let frame =
            [UInt8](repeating: 0, count: 12) + [UInt8](repeating: 0xff, count: 6)
            + [0x52, 0x54, 0, 1, 2, 3, 0x88, 0xb5] + [UInt8](repeating: 0x5a, count: 46)
        try memory.write(frame, at: 0x20_0000)

        for round in 1...2 {
            try backend.start(features: [.version1, .accessPlatform], queues: queues)
            _ = receive.add(writable: DriverSegment(address: 0x30_0000, byteCount: 2048), token: 0)
            _ = transmit.add(
                readable: DriverSegment(address: 0x20_0000, byteCount: UInt32(frame.count)), token: 0)
            if receive.publish() { receiveKick.signal() }
            if transmit.publish() { transmitKick.signal() }

            let deadline = ContinuousClock.now + .seconds(10)
            while !transmit.hasUsed() || !receive.hasUsed() {
                guard .now < deadline else { fatalError("no frame came back") }
                call.wait(atMost: .milliseconds(10))
                call.drain()
            }
            _ = try transmit.reap()
            let received = try receive.reap()
            let bytes = try memory.read(Int(received?.byteCount ?? 0), at: 0x30_0000)
            guard bytes.dropFirst(12) == frame.dropFirst(12) else { fatalError("another frame came back") }

            // Where the device did not say where a ring stood, its used index does. Of a device that asked for a reset
            // neither counts: that throws, and only a driver that starts over with empty rings could go on.
            for (place, state) in try backend.stop().enumerated() {
                queues[place].base = try state.base ?? backend.recoveredBase(of: queues[place])
            }
            print("round \(round): \(bytes.count) bytes out and back, maps \(backend.mapping) after the stop")
        }
        backend.close()
    }
}
