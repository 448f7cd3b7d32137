internal import EmulatedMachine
internal import SimulatedVDPA

/// How many queue pairs a command's device is driven with, and the device that has them.
struct QueuePairs {
    let count: Int
    let source: DeviceSource

    /// Takes what `--queues` says, or what the device has. A simulated device that has fewer gets as many; a real
    /// one's further pairs are switched on through its control queue, which the guest's driver does not use.
    init(_ asked: Int?, on device: DeviceSpecification) throws(StartError) {
        try device.checkMachine()
        let limit = SimulatedDeviceSpecification.maximumQueuePairs
        guard case .simulated(let specification) = device.kind else {
            guard asked ?? 1 == 1 else {
                throw StartError(
                    "--queues \(asked ?? 1) with \(device): a real device's further pairs are switched on through its"
                        + " control queue, which the guest's driver does not use; use --queues 1")
            }
            (count, source) = (1, device.source)
            return
        }
        count = asked ?? specification.queuePairs
        guard (1...limit).contains(count) else {
            throw StartError("--queues \(count): a device has 1 to \(limit) queue pairs; use one of these")
        }
        do throws(SimulatedDeviceSpecificationError) {
            source = .simulated(try specification.withQueuePairs(atLeast: count))
        } catch {
            throw StartError("--queues \(count) with \(device): \(error)")
        }
    }
}
