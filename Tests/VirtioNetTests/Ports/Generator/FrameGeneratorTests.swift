import Testing
import Virtio

@testable import VirtioNet

@Suite("The generator's account over a device's reset")
struct FrameGeneratorTests {
    /// Sends `count` frames nowhere.
    private func send(_ count: Int, _ generator: inout FrameGenerator) {
        var bytes = [UInt8](repeating: 0, count: 2048)
        generator.start(limit: UInt64(count))
        for _ in 0..<count {
            unsafe bytes.withUnsafeMutableBytes { bytes in _ = unsafe generator.next(into: bytes) }
        }
    }

    @Test(
        "Frames on their way are abandoned, whether they are still waited for or no longer",
        arguments: [false, true])
    func abandoned(isImpatient: Bool) {
        var generator = FrameGenerator(
            DriverConfiguration(deviceAddress: MACAddress(0x5254_00ab_cdef)))
        send(10, &generator)
        // A stop that takes longer than the driver waits: the device may have been reset, and drop some of them.
        if isImpatient { generator.stopWaiting() }
        generator.abandonInFlight()
        let counts = generator.counts
        #expect(counts.abandoned == 10 && counts.outstanding == 0, "\(counts)")
    }

    @Test("Frames that are still to be sent are not: they are waited for", arguments: [4, 0, 9] as [UInt64])
    func waiting(first: UInt64) {
        let configuration = DriverConfiguration(
            queueSize: 16, deviceAddress: MACAddress(0x5254_00ab_cdef))
        var generator = FrameGenerator(configuration)
        send(10, &generator)
        generator.abandonInFlight(except: Set(first..<10))
        let counts = generator.counts
        #expect(counts.abandoned == first && counts.outstanding == 10 - first, "\(counts)")
        // The window has room for all but those.
        generator.start(limit: 100)
        #expect(generator.room == 16 - Int(10 - first))
    }
}
