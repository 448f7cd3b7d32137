internal import Glibc
package import GuestMemory
internal import VirtioNet

/// Memory that comes and goes while the machine runs, the driver's buffers with it.
extension EmulatedMachine {
    /// Plugs `byteCount` of RAM in, while the device runs or is stopped, and has the driver take its frame
    /// buffers from there from now on.
    ///
    /// The buffers move one by one, as the device returns the old ones. Where an earlier module has the buffers
    /// they stay there, and this one is memory that the device has and nobody uses. `byteCount` must be enough
    /// for the driver's buffers. On an error nothing is plugged.
    @discardableResult
    package func plug(_ byteCount: ByteCount) throws(MachineError) -> MemoryModule {
        let needed = ByteCount(
            driver.queuePairs * DriverMemory.buffersNeeded(queueSize: driverConfiguration.queueSize)
                * driver.bufferStride)
        guard byteCount >= needed else {
            throw .unsupported(
                "a module of \(byteCount) is too small for the driver's buffers: plug \(needed) or more")
        }
        let module: MemoryModule
        do throws(GuestMemoryError) {
            let block = try RAMBlock.allocate(
                name: "dimm\(memory.modules.count)", byteCount: byteCount, pages: configuration.pages,
                logger: logger)
            module = try memory.plug(block)
        } catch {
            throw .memory(error)
        }
        if bufferBlock == nil {
            let buffers = unsafe DriverBuffers(
                guest: module.range.first, host: module.block.base, byteCount: byteCount,
                stride: driver.bufferStride)
            driver.useSecondBuffers(buffers)
            bufferBlock = module.block
        }
        return module
    }

    /// Has the driver take its buffers from the machine's own RAM again, and waits until the device has returned
    /// every one that is in a module; `false` where `patience` ends first.
    ///
    /// Buffers in the rings come back only while the device runs and frames come in. Asking again goes on waiting.
    package func withdrawBuffers(patience: Duration = .seconds(10)) -> Bool {
        guard bufferBlock != nil else { return true }
        driver.useFirstBuffers()
        let end = ContinuousClock.now + patience
        while !driver.dropSecondBuffers() {
            guard ContinuousClock.now < end else { return false }
            usleep(500)
        }
        bufferBlock = nil
        return true
    }

    /// Takes a module out of the machine, after the driver's buffers in it; see ``withdrawBuffers(patience:)``.
    ///
    /// - Throws: ``MachineError/memoryInUse(_:)`` where the buffers do not come back within `patience`: the module
    ///   stays, and the driver takes no new buffers from it.
    package func unplug(_ module: MemoryModule, patience: Duration = .seconds(10)) throws(MachineError) {
        if module.block === bufferBlock, !withdrawBuffers(patience: patience) {
            throw .memoryInUse(
                "memory \(module.block.name) at \(module.range) cannot be unplugged: the device still has buffers of"
                    + " the driver in it; start the device and let traffic run, or have the driver start over"
            )
        }
        do throws(GuestMemoryError) {
            try memory.unplug(module.block)
        } catch {
            throw .memory(error)
        }
    }
}
