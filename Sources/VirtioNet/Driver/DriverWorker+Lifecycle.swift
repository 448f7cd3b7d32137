internal import VirtQueue

extension DriverWorker {
    /// Starts over with empty rings, as a guest does whose driver is probed again or whose device lost the ring
    /// state. The device must be stopped.
    ///
    /// What the device has returned is taken first. A frame still in the transmit ring is given up: whether it
    /// was sent nobody can tell. `abandonsInFlight` gives up those too that the device had taken and not yet
    /// brought back: a device that is reset while it runs may drop them.
    mutating func reinitialise(
        _ new: DriverConfiguration, abandonsInFlight: Bool
    ) throws(VirtioNetError) {
        while serveReceive() {}
        reapTransmitted()
        while let token = transmit.queue.detach() {
            let token = BufferPool.Token(rawValue: token)
            if case .generator = port.kind { generator.abandon(pool.sequence(token)) }
            transmit.counts.drops &+= 1
            transmit.account.abandoned &+= 1
            pool.put(token)
        }
        if abandonsInFlight { generator.abandonInFlight() }
        generator.stopWaiting()
        while let token = receive.queue.detach() { pool.put(BufferPool.Token(rawValue: token)) }
        unsafe try receive.replaceQueue(memory.ring(0), new)
        unsafe try transmit.replaceQueue(memory.ring(1), new)
        configuration = new
        postReceiveBuffers()
    }

    /// Takes everything that the device has returned, and makes the counts what they are then.
    ///
    /// No more than a ring holds: a device that goes on returning frames is not waited for.
    mutating func synchronise() {
        var left = Int(configuration.queueSize)
        while left > 0, serveReceive() { left -= Self.batchSize }
        reapTransmitted()
        publishCounts()
    }

    /// Whether every buffer of the second block is back, so that its memory may go. The pool lets go of it then.
    mutating func dropSecondBuffers() -> Bool {
        reapTransmitted()
        return pool.dropSecond()
    }
}
