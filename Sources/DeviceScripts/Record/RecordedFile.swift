internal import Glibc
internal import GuestMemory
internal import LinuxHost
public import SystemPackage
public import VhostVDPA

/// An open device whose calls are written down by a ``ScriptRecorder``. It answers as the file behind it does.
///
/// A call that a signal interrupted has done nothing, and is no line. Control thread.
public final class RecordedFile: RefusalReporting {
    /// The device's own file.
    package let inner: any CharacterDevice
    private let name: ScriptName
    private let recorder: ScriptRecorder
    private var device = RecordedDevice()
    private var isClosed = false

    init(_ inner: any CharacterDevice, name: ScriptName, recorder: ScriptRecorder) {
        self.inner = inner
        self.name = name
        self.recorder = recorder
    }

    deinit { close() }

    /// What the file behind it says.
    public var lastRefusal: String? { (inner as? any RefusalReporting)?.lastRefusal }

    /// `ioctl(2)`, as the file behind it makes it.
    public func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        try record(request, argument) { () throws(Errno) in try inner.ioctl(request, argument) }
    }

    /// Writes down an `ioctl(2)` of the recorder's process that `perform` makes.
    package func record(
        _ request: UInt, _ argument: UInt, by caller: ScriptCaller = .process,
        _ perform: () throws(Errno) -> Int32
    ) throws(Errno) -> Int32 {
        let call = RecordedRequest(number: request, address: argument, of: recorder.process)
        do throws(Errno) {
            let result = try perform()
            note(call, caller, nil)
            return result
        } catch {
            note(call, caller, error)
            throw error
        }
    }

    /// Makes an ioctl as a forked child does, with `call`, which is given the file behind this one.
    package func ioctlFromChild(
        _ request: UInt, _ argument: UInt, _ call: (any CharacterDevice, UInt, UInt) -> Errno?
    ) -> Errno? {
        let recorded = RecordedRequest(number: request, address: argument, of: recorder.process)
        let error = call(inner, request, argument)
        note(recorded, .child, error)
        return error
    }

    /// `write(2)`, as the file behind it makes it.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        try record(messageAt: UInt(bitPattern: bytes.baseAddress), byteCount: bytes.count) {
            () throws(Errno) in
            try unsafe inner.write(bytes)
        }
    }

    /// Writes down a `write(2)` of the recorder's process that `perform` makes.
    package func record(
        messageAt address: UInt, byteCount: Int, _ perform: () throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let copy = recorder.process.all(byteCount, at: address)
        do throws(Errno) {
            let count = try perform()
            note(copy, at: address, byteCount, .success(count))
            return count
        } catch {
            note(copy, at: address, byteCount, .failure(error))
            throw error
        }
    }

    /// `mmap(2)`, as the file behind it makes it.
    public func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer {
        do throws(Errno) {
            let page = try unsafe inner.map(
                length: length, protection: protection, flags: flags, offset: offset)
            noteMap(length, protection, flags, offset, .ok)
            return unsafe page
        } catch {
            noteMap(length, protection, flags, offset, .error(error))
            throw error
        }
    }

    /// Closes the file behind it.
    public func close() {
        inner.close()
        guard !isClosed else { return }
        isClosed = true
        recorder.closed(name)
    }

    // MARK: Lines

    /// A closed file's name may be another one's by now, of which nothing is to be said.
    private var hasName: Bool { !isClosed || !recorder.isOpen(name) }

    private func note(_ call: RecordedRequest, _ caller: ScriptCaller, _ error: Errno?) {
        guard error != .interrupted, hasName else { return }
        let request = request(of: call, error)
        let answer: ScriptAnswer =
            if let error {
                .error(error)
            } else if caller == .process, !request.isPointer {
                call.answer()
            } else {
                .ok
            }
        if device.hasServedCommands { recorder.mayHaveChangedConfiguration = true }
        recorder.store(device.quietIndices(before: request))
        recorder.note(
            .request(request, file: name, by: caller), expectation(of: request, answer))
        if error == nil { device.took(request, answer: answer) }
    }

    /// The call as scripts have it. An address that could not be read or written stays one.
    private func request(of call: RecordedRequest, _ error: Errno?) -> ScriptRequest {
        // A request that takes nothing is EFAULT for its address where the kernel looks for a queue's index there
        // (vhost_vring_ioctl, drivers/vhost/vhost.c).
        let isAddress = error == .badAddress && (call.isAnswered || call.byteCount == 0)
        let argument = isAddress ? nil : call.argument { recorder.descriptor($0, calling: $1) }
        if let argument { return ScriptRequest(number: call.number, argument) }
        let pointer = recorder.pointer(to: UInt64(call.address), byteCount: UInt64(call.byteCount))
        if case .memory(let name, let offset) = pointer, call.readable.contains(where: { $0 != 0 }) {
            recorder.note(.store(name, offset: offset, bytes: call.readable))
        }
        return ScriptRequest(number: call.number, .pointer(pointer))
    }

    /// What the script expects: this answer, where it does not depend on frames that the script has not.
    private func expectation(of request: ScriptRequest, _ answer: ScriptAnswer) -> ScriptExpectation? {
        let depends =
            switch (request.kind?.name, request.argument) {
            case ("GET_VRING_BASE", .state(let index, _)): device.mayHaveMoved(index)
            case ("GET_CONFIG", _): recorder.mayHaveChangedConfiguration
            case ("GET_STATUS", _), ("SET_STATUS", _): device.isBroken || Self.asksForReset(answer)
            default: false
            }
        guard depends else { return .exactly(answer) }
        return answer.isSuccess ? .anySuccess(seen: answer) : nil
    }

    private static func asksForReset(_ status: ScriptAnswer) -> Bool {
        if case .number(let bits) = status { bits & 0x40 != 0 } else { false }
    }

    private func note(
        _ bytes: [UInt8]?, at address: UInt, _ byteCount: Int, _ result: Result<Int, Errno>
    ) {
        guard result != .failure(.interrupted), hasName else { return }
        let answer: ScriptAnswer =
            switch result {
            // sizeof(struct vhost_msg_v2), of any message (drivers/vhost/vhost.c, vhost_chr_write_iter).
            case .success(72) where bytes != nil: .ok
            case .success(let count): .number(UInt64(count))
            case .failure(let error): .error(error)
            }
        guard let bytes else {
            let pointer = recorder.pointer(to: UInt64(address), byteCount: UInt64(byteCount))
            return recorder.note(
                .writeFrom(pointer, byteCount: byteCount, file: name), .exactly(answer))
        }
        guard let message = ScriptMessage(decoding: bytes, pointer: recorder.pointer) else {
            return recorder.note(.write(bytes, file: name), .exactly(answer))
        }
        recorder.store(device.quietIndices(before: message))
        recorder.note(.message(message, file: name), .exactly(answer))
        if answer == .ok { device.took(message) }
    }

    private func noteMap(
        _ length: Int, _ protection: Int32, _ flags: Int32, _ offset: Int, _ answer: ScriptAnswer
    ) {
        let (queue, rest) = offset.quotientAndRemainder(dividingBy: HostPage.byteCount)
        guard answer != .error(.interrupted), hasName else { return }
        guard rest == 0, let index = UInt32(exactly: queue), UInt32(exactly: length) != nil else {
            return recorder.comment("not recorded: mmap of \(length) bytes at \(offset)")
        }
        recorder.note(
            .map(
                ScriptDoorbell(
                    queue: VringIndex(rawValue: index), byteCount: length,
                    isReadable: protection & PROT_READ != 0, isShared: flags & MAP_PRIVATE == 0),
                file: name),
            .exactly(answer))
    }
}

extension ScriptRequest {
    fileprivate var isPointer: Bool { if case .pointer = argument { true } else { false } }
}

extension ScriptMessage {
    /// Reads what `write(2)` was given: as much as the kernel reads, which is 40 bytes, and what is mapped and with which
    /// rights of an UPDATE alone. `nil` where that is no message. `pointer` gives what is mapped its name.
    init?(decoding bytes: [UInt8], pointer: (UInt64, UInt64) -> ScriptPointer) {
        func number(_ range: Range<Int>) -> UInt64 { Array(bytes[range]).littleEndianNumber }
        guard bytes.count >= 40, let version = Version(rawValue: UInt32(number(0..<4))),
            let kind = Kind(rawValue: bytes[33])
        else { return nil }
        let (size, address) = (number(16..<24), number(24..<32))
        self.init(
            kind, version: version,
            addressSpace: AddressSpaceID(rawValue: version == .second ? UInt32(number(4..<8)) : 0),
            iova: IOVirtualAddress(rawValue: number(8..<16)), size: size,
            memory: kind == .update ? pointer(address, size) : .number(HostAddress(rawValue: 0)),
            access: kind == .update ? bytes[32] : 0)
    }
}
