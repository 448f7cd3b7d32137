internal import CLinux
internal import ClientRules
internal import Glibc
internal import Logging
internal import SimulatedVDPA
internal import SystemPackage
internal import Virtio
internal import VirtioDevice
internal import VirtioNet

/// What the calls of a program mean to its devices. Supervisor's thread only.
struct ProgramSession {
    private var devices: [ExposedDevice]
    private var clients = ClientTable()
    /// Where descriptors of devices are put.
    private let numbers: Range<Int32>
    private let current: CurrentCaller
    private let ledger: PinLedger
    private let probe: FileDescriptor
    private let logger: Logger
    /// One for each device.
    private var observers: [ClientObserver]
    /// That a 32-bit program finds no device has been said.
    private var hasToldNarrow = false

    init(
        devices: [ExposedDevice], numbers: Range<Int32>, current: CurrentCaller, ledger: PinLedger,
        probe: FileDescriptor, observers: [ClientObserver], logger: Logger
    ) {
        self.devices = devices
        self.observers = observers
        self.numbers = numbers
        self.current = current
        self.ledger = ledger
        self.probe = probe
        self.logger = logger
    }

    /// Releases every device.
    mutating func end() {
        for index in devices.indices { release(index) { $0.release() } }
        for exposed in devices where exposed.device.faultCount > 0 {
            let last = exposed.device.recentFaults.last.map { "; the last: \($0)" } ?? ""
            logger.warning(
                "\(exposed.path): \(exposed.device.faultCount) accesses of the device found no map\(last)")
        }
        for exposed in devices {
            tellFrames(of: exposed)
            tellFailure(of: exposed)
        }
        if let failure = SimulationFailure.description {
            logger.error("\(failure): what came after is no kernel's answer")
        }
        clients.forget()
    }

    /// Has what the workers have recorded on its way to the captures.
    func flushCaptures() {
        for exposed in devices { exposed.device.network?.flushCapture() }
    }

    /// Says what became of the frames of a device, of all its queues together.
    private func tellFrames(of exposed: ExposedDevice) {
        guard let network = exposed.device.network else { return }
        network.synchronise()
        var (receive, transmit) = (FrameAccount(), FrameAccount())
        var ringErrors: UInt64 = 0
        for index in network.queues.frameQueues {
            ringErrors &+= network.counts(index).errors
            if case .receive = network.queues.role(of: index) {
                receive += network.account(index)
            } else {
                transmit += network.account(index)
            }
        }
        logger.info(
            "frames",
            metadata: [
                "device": "\(exposed.path)",
                "receiveEntered": "\(receive.entered)", "receiveLeft": "\(receive.left)",
                "receiveDropped": "\(receive.dropped)", "receiveMissing": "\(receive.missing)",
                "transmitEntered": "\(transmit.entered)", "transmitLeft": "\(transmit.left)",
                "transmitDropped": "\(transmit.dropped)", "transmitMissing": "\(transmit.missing)",
                "ringErrors": "\(ringErrors)",
            ])
    }

    /// Says what has failed of a device through no fault of the program's.
    private func tellFailure(of exposed: ExposedDevice) {
        guard let network = exposed.device.network else { return }
        if let failure = network.failure { logger.error("\(exposed.path): \(failure)") }
        // A worker's last command hands over what it has recorded.
        exposed.device.shutdown()
        guard let capture = network.capture else { return }
        capture.finish()
        if let failure = capture.outcome.failure {
            logger.error(
                "\(exposed.path): the capture \(capture.path) broke off after \(capture.outcome.recorded) frames: \(failure)"
            )
        }
    }

    /// Releases the devices that no program has open any more.
    mutating func releaseClosed() {
        for index in devices.indices { release(index) { [probe] in $0.releaseIfClosed(probe) } }
    }

    /// Has a device released, and its observer told where it was open and is no more.
    private mutating func release(_ index: Int, _ release: (inout ExposedDevice) -> Void) {
        let wasOpen = devices[index].file != nil
        release(&devices[index])
        if wasOpen, devices[index].file == nil { observers[index].closed() }
    }

    /// What was found of the clients of each device that had any, by the device's path. Behind ``end()``.
    func judgements() -> [(path: String, report: ClientReport)] {
        zip(devices, observers).compactMap { exposed, observer in
            observer.end().map { (exposed.path, $0) }
        }
    }

    /// Answers `call`, or has the kernel make it where it is none of ours.
    mutating func take(_ call: CallNotification, of program: borrowing SupervisedProgram) {
        switch call.call {
        case .open: open(call, pathAt: call.address(0), flags: call.number(1), of: program)
        case .openat: open(call, pathAt: call.address(1), flags: call.number(2), of: program)
        case .openat2: openByRecord(call, of: program)
        case .close, .duplicateOver, .duplicateOverWithFlags, .closeRange: close(call, of: program)
        case .ioctl, .write, .writePieces, .read, .map:
            releaseClosed()
            let descriptor = call.call == .map ? call.number(4) : call.number(0)
            if call.call == .map, call.number(3) & MAP_ANONYMOUS != 0 { return program.pass(call) }
            guard let index = device(descriptor, of: call) else { return program.pass(call) }
            use(index, call, of: program)
        case .status: tellStatus(call, of: program, pathAt: 0, to: 1)
        case .statusOfDescriptor: tellStatus(call, of: program, descriptor: 0, to: 1)
        case .statusAt: tellStatus(call, of: program, descriptor: 0, pathAt: 1, flagsAt: 3, to: 2)
        case .extendedStatus:
            tellStatus(
                call, of: program, descriptor: 0, pathAt: 1, flagsAt: 2, to: 4, mask: call.number(3))
        case .access: tellAccess(call, of: program, pathAt: 0)
        case .accessAt: tellAccess(call, of: program, pathAt: 1)
        case .narrowOpen: tellNarrow(call, of: program, device: device(call, pathAt: 0))
        case .narrowOpenat: tellNarrow(call, of: program, device: device(call, pathAt: 1))
        case .narrowIoctl: tellNarrow(call, of: program, device: device(call.number(0), of: call))
        case .other: program.pass(call)
        }
    }

    // MARK: What a device's file is

    /// The device whose path is the argument `path`; where that is empty or none, whose descriptor is the argument
    /// `descriptor`.
    private func device(
        _ call: CallNotification, descriptor: Int? = nil, pathAt path: Int? = nil, flagsAt flags: Int? = nil
    ) -> Int? {
        if let path {
            let text =
                call.address(path) == 0
                ? "" : CallerProcess(thread: call.thread).path(at: call.address(path), atMost: 64)
            guard text == "" else { return devices.firstIndex { $0.path == text } }
            guard let flags, call.number(flags) & clinux_at_empty_path != 0 else { return nil }
        }
        return descriptor.flatMap { device(call.number($0), of: call) }
    }

    private func tellStatus(
        _ call: CallNotification, of program: borrowing SupervisedProgram, descriptor: Int? = nil,
        pathAt path: Int? = nil, flagsAt flags: Int? = nil, to answer: Int, mask: Int32? = nil
    ) {
        guard let index = device(call, descriptor: descriptor, pathAt: path, flagsAt: flags) else {
            return program.pass(call)
        }
        guard program.stillWaits(call) else { return }
        do throws(Errno) {
            let bytes = try devices[index].node.status(mask: mask)
            try CallerProcess(thread: call.thread).store(bytes, at: call.address(answer))
            program.answer(call, 0)
        } catch {
            program.refuse(call, error)
        }
    }

    /// A device's file may be read and written by everybody, and executed by nobody.
    private func tellAccess(
        _ call: CallNotification, of program: borrowing SupervisedProgram, pathAt path: Int
    ) {
        guard device(call, pathAt: path) != nil else { return program.pass(call) }
        if call.number(path + 1) & X_OK != 0 {
            program.refuse(call, .permissionDenied)
        } else {
            program.answer(call, 0)
        }
    }

    /// A call of a 32-bit program is the kernel's, with its answer. The first that means a device is told of.
    private mutating func tellNarrow(
        _ call: CallNotification, of program: borrowing SupervisedProgram, device index: Int?
    ) {
        if let index, !hasToldNarrow {
            hasToldNarrow = true
            logger.warning(
                "\(devices[index].path): process \(call.thread) asks for it by a call of 32-bit programs, which find no device here; use a 64-bit build of it"
            )
        }
        program.pass(call)
    }

    // MARK: Open and close

    /// openat2(2): `struct open_how` begins with 64 bits of flags.
    private mutating func openByRecord(_ call: CallNotification, of program: borrowing SupervisedProgram) {
        let process = CallerProcess(thread: call.thread)
        guard let flags = try? process.word(at: call.address(2)) else { return program.pass(call) }
        open(call, pathAt: call.address(1), flags: Int32(truncatingIfNeeded: flags), of: program)
    }

    private mutating func open(
        _ call: CallNotification, pathAt address: UInt, flags: Int32, of program: borrowing SupervisedProgram
    ) {
        let process = CallerProcess(thread: call.thread)
        guard let path = process.path(at: address, atMost: 64) else { return program.pass(call) }
        if path == "/proc/self/status" { return openStatus(call, flags: flags, of: program) }
        if path == "/proc/devices", let device = devices.first {
            return openCopy(ProcCopy.devices(major: device.node.major), call, flags: flags, of: program)
        }
        // O_PATH asks the kernel's driver for nothing: that there is no such file is the nearest to it here.
        guard flags & clinux_open_path == 0, let index = device(atPath: path, flags: flags, of: call) else {
            return program.pass(call)
        }
        releaseClosed()
        guard program.stillWaits(call) else { return }
        do throws(Errno) {
            guard flags & O_DIRECTORY == 0 else { throw .notDirectory }
            guard flags & (O_CREAT | O_EXCL) != O_CREAT | O_EXCL else { throw .fileExists }
            // From the top: the program's own are given from the bottom.
            guard let number = numbers.last(where: { !process.hasDescriptor($0) }) else {
                throw .tooManyOpenFiles
            }
            let placeholder = try open(index, isWritable: flags & O_ACCMODE != O_RDONLY)
            // The program's own descriptor is the only one from here on: its last close is the device's.
            defer { try? placeholder.close() }
            do throws(Errno) {
                try program.answer(call, with: placeholder, as: number, closesOnExec: flags & O_CLOEXEC != 0)
            } catch {
                release(index) { $0.release() }
                // No open is refused so: the program has lowered its limit.
                throw error == .badFileDescriptor ? .tooManyOpenFiles : error
            }
        } catch {
            program.refuse(call, error)
        }
    }

    private mutating func open(_ index: Int, isWritable: Bool) throws(Errno) -> FileDescriptor {
        do throws(Errno) {
            let placeholder = try devices[index].open(isWritable: isWritable)
            if let file = devices[index].file { observers[index].opened(file) }
            return placeholder
        } catch {
            observers[index].refused(error)
            throw error
        }
    }

    /// The device that an open of `path` means: by its own name, or by that of a descriptor, which is a link.
    private func device(atPath path: String, flags: Int32, of call: CallNotification) -> Int? {
        if let index = devices.firstIndex(where: { $0.path == path }) { return index }
        guard flags & O_NOFOLLOW == 0 else { return nil }
        return DescriptorPath.number(path).flatMap { device($0, of: call) }
    }

    /// A process's own status, with the pages that its devices would have pinned: VmPin of another process cannot be moved.
    private mutating func openStatus(
        _ call: CallNotification, flags: Int32, of program: borrowing SupervisedProgram
    ) {
        // What the program has closed before is not pinned any more, however it was closed.
        releaseClosed()
        guard devices.contains(where: \.hasPins) else { return program.pass(call) }
        let caller = clients.caller(thread: call.thread)
        let pages = ledger.pages(of: caller)
        guard pages > 0 else { return program.pass(call) }
        openCopy(ProcCopy.status(of: caller.process, pinnedPages: pages), call, flags: flags, of: program)
    }

    /// Answers with `copy`, a file for reading; the kernel makes the call where there is none, or more is asked for.
    private func openCopy(
        _ copy: FileDescriptor?, _ call: CallNotification, flags: Int32,
        of program: borrowing SupervisedProgram
    ) {
        guard let copy else { return program.pass(call) }
        defer { try? copy.close() }
        guard flags & O_ACCMODE == O_RDONLY else { return program.pass(call) }
        guard program.stillWaits(call) else { return }
        do throws(Errno) {
            try program.answer(call, with: copy, closesOnExec: flags & O_CLOEXEC != 0)
        } catch {
            program.refuse(call, error)
        }
    }

    /// The kernel closes the descriptors. Those of devices have been emptied before: a device whose last one is among them
    /// is released before the program goes on.
    private mutating func close(_ call: CallNotification, of program: borrowing SupervisedProgram) {
        let process = CallerProcess(thread: call.thread)
        guard devices.contains(where: { $0.file != nil }),
            let closed = ClosedDescriptors(call, isOpen: { process.hasDescriptor($0) })
        else { return program.pass(call) }
        let numbers: [Int32]
        switch closed {
        case .one(let number): numbers = [number]
        case .all: numbers = process.descriptors.filter { closed.contains($0) }
        }
        let ours = numbers.filter { device($0, of: call) != nil }
        let left = ours.filter { !empty($0, of: process, call, of: program) }
        releaseClosed()
        program.pass(call)
        guard !left.isEmpty else { return }
        // What cannot be emptied is waited for, and not for long: under load the program may go on before.
        for _ in 0..<100 where left.contains(where: { device($0, of: call) != nil }) { clinux_yield() }
        releaseClosed()
    }

    /// Has the caller's descriptor `number` be of no device any more, though of something. A file is let go of by whoever
    /// has the last reference, once that returns to its program: a reference of our own has that be this thread, here.
    private func empty(
        _ number: Int32, of process: CallerProcess, _ call: CallNotification,
        of program: borrowing SupervisedProgram
    ) -> Bool {
        guard program.stillWaits(call), let file = try? process.duplicate(number) else { return false }
        defer { try? file.close() }
        do throws(Errno) {
            try program.replace(number, with: probe, in: call)
            return true
        } catch {
            return false
        }
    }

    // MARK: A call on a device

    /// Whose descriptor `number` is in the caller's table: the device whose placeholder's lock it shows.
    private func device(_ number: Int32, of call: CallNotification) -> Int? {
        guard number >= 0, devices.contains(where: { $0.file != nil }),
            let token = CallerProcess(thread: call.thread).lockedByte(number)
        else {
            return nil
        }
        return devices.firstIndex { $0.token == token && $0.file != nil }
    }

    private mutating func use(
        _ index: Int, _ call: CallNotification, of program: borrowing SupervisedProgram
    ) {
        let device = devices[index]
        guard let file = device.file else { return program.pass(call) }
        if call.call == .ioctl, Self.isGeneric(call.number(1)) { return program.pass(call) }
        let caller = clients.caller(thread: call.thread)
        guard program.stillWaits(call) else { return }
        current.caller = caller
        file.caller = caller
        do throws(Errno) {
            let answer = try Self.perform(
                call, on: file, isWritable: device.isWritable, observedBy: &observers[index])
            program.answer(call, answer)
        } catch {
            logger.debug("call refused", metadata: ["device": "\(device.path)", "errno": "\(error)"])
            program.refuse(call, error)
        }
    }

    private static func perform(
        _ call: CallNotification, on file: VhostVDPACharacterDevice, isWritable: Bool,
        observedBy observer: inout ClientObserver
    ) throws(Errno) -> Int64 {
        switch call.call {
        case .ioctl:
            let (request, argument) = (UInt(UInt32(bitPattern: call.number(1))), call.address(2))
            return Int64(
                try observer.ioctl(request, argument, by: file.caller) { () throws(Errno) in
                    try file.ioctl(request, argument)
                })
        case .write:
            guard isWritable else { throw .badFileDescriptor }
            // A count that is negative is no process's memory (access_ok).
            guard call.count(2) >= 0 else { throw .badAddress }
            return Int64(
                try observer.write(at: call.address(1), byteCount: call.count(2), by: file.caller) {
                    () throws(Errno) in
                    try file.write(at: call.address(1), byteCount: call.count(2))
                })
        case .writePieces:
            guard isWritable else { throw .badFileDescriptor }
            let pieces = try file.caller.process.pieces(at: call.address(1), count: call.count(2))
            // A message that is in one piece is seen as write(2)'s is; what is in several is one for the device alone.
            guard pieces.count == 1 else { return Int64(try file.write(pieces)) }
            return Int64(
                try observer.write(at: pieces[0].address, byteCount: pieces[0].byteCount, by: file.caller) {
                    () throws(Errno) in
                    try file.write(pieces)
                })
        case .map:
            let page = try unsafe file.map(
                length: call.count(1), protection: call.number(2), flags: call.number(3),
                offset: call.count(5))
            // A page of ours is none of the program's.
            unsafe munmap(page, call.count(1))
            throw Errno(rawValue: 524)  // ENOTSUPP
        // vhost-vdpa has no read.
        default: throw .invalidArgument
        }
    }

    /// What the kernel answers for any file, and never asks the file's driver.
    private static func isGeneric(_ request: Int32) -> Bool {
        [0x5450, 0x5451, 0x5421, 0x5452].contains(request)  // FIONCLEX, FIOCLEX, FIONBIO, FIOASYNC
    }
}
