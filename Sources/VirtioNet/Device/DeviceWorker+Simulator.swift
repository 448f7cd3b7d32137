internal import VirtQueue
internal import Virtio
internal import VirtioDevice
internal import WorkerRuntime

/// The network device of the kernel's vdpa_sim_net (`vdpasim_net_work` in drivers/vdpa/vdpa_sim/vdpa_sim_net.c).
///
/// A kick of any queue is one pass: every control command, then frames from the transmit ring into the receive ring
/// until the first is empty, a frame finds no receive chain, or ``framesPerPass`` were looped, after which the device
/// schedules the next pass itself. It asks for a kick with every chain and calls once a pass.
///
/// Not imitated: chains that break virtio's rules or do not translate. The kernel's simulator takes some of them and
/// never returns them; here they come back with length zero, counted, as from every device of this project.
extension DeviceWorker {
    private static let framesPerPass = 5
    /// `struct virtio_net_hdr` without VERSION_1, and with it.
    private static let legacyHeaderByteCount = 10
    private static let addressByteCount = 6

    /// Does the work that kicks have scheduled. Returns whether there was any.
    mutating func simulate() -> Bool {
        takeSimulatorKicks()
        guard simulatorWork.begin() else { return false }
        serveControlQueue()
        loopFrames()
        return true
    }

    mutating func takeSimulatorKicks() {
        for index in 0...2 where loop.takeSignals(index) > 0 { takeSimulatorKick(of: index) }
    }

    mutating func takeSimulatorKick(of index: Int) {
        let isStarted = withQueue(index) { queue in
            queue.served.receiveKicks()
            return queue.served.isStarted
        }
        simulatorWork.kick(started: isStarted)
    }

    // MARK: Frames

    private mutating func loopFrames() {
        guard let features = transmit.served.setup?.features, receive.served.isStarted else { return }
        let headerByteCount =
            features.contains(.version1) ? NetworkHeader.byteCount : Self.legacyHeaderByteCount
        transmit.served.lookAgain()
        receive.served.lookAgain()
        guard var outgoing = transmit.served.takeRing(as: AnyDeviceQueue.self) else { return }
        let sentStart = transmit.served.beginBatch(of: outgoing)
        let address = port.configurationSpace?.address
        var taken = 0
        var hasMore = true
        // Dropped frames are counted in no budget by the kernel; here no guest keeps the worker from its commands.
        var pass = PassBudget(chains: outgoing.size)
        while hasMore, pass.hasRoom {
            segments.removeAll()
            guard let chain = transmit.served.nextChain(of: &outgoing, into: &segments, within: &pass) else {
                hasMore = transmit.served.isKicked
                break
            }
            taken += 1
            frame.fill(from: chain, in: segments)
            pass.take(bytes: UInt32(frame.count), segments: segments.count)
            transmit.counts.packets &+= 1
            transmit.counts.bytes &+= UInt64(max(0, frame.count - headerByteCount))
            transmit.account.left &+= 1
            receive.account.entered &+= 1
            if !accepts(headerByteCount, address) {
                receive.counts.drops &+= 1
                receive.account.filtered &+= 1
                outgoing.complete(chain.handle, byteCount: 0)
                continue
            }
            // A frame without a receive chain ends the pass; what is behind it waits for the next kick.
            hasMore = deliver(headerByteCount, isCut: Int(chain.readableBytes) > frame.count, within: &pass)
            if !hasMore {
                receive.counts.drops &+= 1
                receive.account.noBuffer &+= 1
            }
            outgoing.complete(chain.handle, byteCount: 0)
            if taken >= Self.framesPerPass { break }
        }
        if hasMore { simulatorWork.schedule() }
        transmit.finishBatch(of: &outgoing, since: sentStart)
        transmit.served.putBack(outgoing)
    }

    /// `receive_filter`: broadcast, multicast or the device's own address, in a frame that has room for one.
    private func accepts(_ headerByteCount: Int, _ own: MACAddress?) -> Bool {
        guard frame.count >= headerByteCount + Self.addressByteCount else { return false }
        let destination = frame.address(at: headerByteCount)
        return destination.isMulticast || destination == own
    }

    /// Writes the frame, with the header it was sent with, to the next receive chain; `false` where there is none.
    /// `isCut` says that the frame in the page is not whole.
    private mutating func deliver(
        _ headerByteCount: Int, isCut: Bool, within pass: inout PassBudget
    ) -> Bool {
        guard var incoming = receive.served.takeRing(as: AnyDeviceQueue.self) else { return false }
        let start = receive.served.beginBatch(of: incoming)
        let mark = segments.count
        var written = 0
        if let target = receive.served.nextChain(of: &incoming, into: &segments, within: &pass) {
            written = frame.write(to: target, in: segments)
            if written > 0 {
                receive.counts.packets &+= 1
                receive.counts.bytes &+= UInt64(max(0, written - headerByteCount))
                if isCut || written < frame.count { receive.account.cut &+= 1 }
                incoming.complete(target.handle, byteCount: UInt32(written))
            } else {
                receive.served.refuse(target.handle, of: &incoming)
            }
        }
        segments.truncate(to: mark)
        receive.finishBatch(of: &incoming, since: start)
        receive.served.putBack(incoming)
        return written > 0
    }

    // MARK: Control queue

    /// `vdpasim_handle_cvq`: MAC_ADDR_SET, and an error for everything else.
    ///
    /// The answer to a class that is not known is what the last command of the same pass was answered, as in the
    /// kernel: alone it is an error.
    private mutating func serveControlQueue() {
        guard let features = control.served.setup?.features, features.contains(.controlQueue) else {
            return
        }
        control.served.lookAgain()
        guard var queue = control.served.takeRing(as: AnyDeviceQueue.self) else { return }
        let start = control.served.beginBatch(of: queue)
        var answer = ControlCommand.error
        var pass = PassBudget(chains: queue.size)
        while pass.hasRoom {
            segments.removeAll()
            guard let chain = control.served.nextChain(of: &queue, into: &segments, within: &pass) else {
                break
            }
            frame.fill(from: chain, in: segments)
            pass.take(bytes: UInt32(frame.count), segments: segments.count)
            if let command = ControlCommand(frame) { answer = perform(command) ?? answer }
            frame.fill(with: answer)
            queue.complete(chain.handle, byteCount: UInt32(frame.write(to: chain, in: segments)))
        }
        if control.served.isKicked { simulatorWork.schedule() }
        control.finishBatch(of: &queue, since: start)
        control.served.putBack(queue)
    }

    /// Does a command and returns its answer; `nil` for a class that is not known.
    private func perform(_ command: ControlCommand) -> UInt8? {
        guard command.commandClass == ControlCommand.macClass else { return nil }
        guard command.number == ControlCommand.setAddress,
            frame.count >= ControlCommand.headerByteCount + Self.addressByteCount
        else { return ControlCommand.error }
        port.configurationSpace?.write(
            frame.address(at: ControlCommand.headerByteCount).octets, at: 0)
        return ControlCommand.ok
    }
}

extension ConfigurationSpace {
    /// The device's address, the first six bytes of a `struct virtio_net_config`.
    fileprivate var address: MACAddress { MACAddress(octets: read(at: 0, count: 6)) }
}

/// `struct virtio_net_ctrl_hdr` and the values vdpa_sim_net knows (virtio 1.2, section 5.1.6.5).
private struct ControlCommand {
    static let headerByteCount = 2
    static let macClass: UInt8 = 1  // VIRTIO_NET_CTRL_MAC
    static let setAddress: UInt8 = 1  // VIRTIO_NET_CTRL_MAC_ADDR_SET
    static let ok: UInt8 = 0  // VIRTIO_NET_OK
    static let error: UInt8 = 1  // VIRTIO_NET_ERR

    let commandClass: UInt8
    let number: UInt8

    /// Reads the header of a command; `nil` where it is not there.
    init?(_ frame: borrowing FrameBuffer) {
        guard frame.count >= Self.headerByteCount else { return nil }
        commandClass = frame[0]
        number = frame[1]
    }
}
