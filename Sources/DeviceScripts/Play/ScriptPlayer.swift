internal import CLinux
internal import Glibc
internal import GuestMemory
internal import LinuxHost
internal import SystemPackage
internal import VhostVDPA

/// Plays a script on a device: a process that does what the script says, and notes each answer.
///
/// Memory, eventfds and files are the player's and go when it has played. One thread.
public final class ScriptPlayer {
    private let script: DeviceScript
    private let target: ScriptTarget
    private var files: [ScriptName: ScriptFile] = [:]
    private var memories: [ScriptName: ScriptMemory] = [:]
    private var events: [ScriptName: SharedEventFD] = [:]
    private let room: ScriptRoom
    private var nullDevice: FileDescriptor?

    /// Plays `script` on `target`, from its first line. `note` is told each line's number, from 0, and its answer.
    ///
    /// - Throws: ``ScriptProblem/wrong(line:reason:)`` before anything is done; ``ScriptProblem/shortage(line:reason:)``
    ///   where a step could not be made.
    /// - Returns: The answers, one a line; `nil` for a line without a step, and for those that an interruption left.
    @discardableResult
    public static func play(
        _ script: DeviceScript, on target: ScriptTarget, note: (Int, ScriptAnswer) -> Void = { _, _ in }
    ) throws(ScriptProblem) -> [ScriptAnswer?] {
        try script.check()
        guard let room = ScriptRoom() else {
            throw .shortage(
                line: 1,
                reason: "\(ScriptRoom.count) scripts are played at the same time; wait for one of them")
        }
        let player = ScriptPlayer(script, target, room)
        var answers = [ScriptAnswer?](repeating: nil, count: script.lines.count)
        for (index, line) in script.lines.enumerated() {
            guard !target.isInterrupted() else { break }
            guard let step = line.step else { continue }
            let answer = try player.answer(step, line: index + 1)
            answers[index] = answer
            note(index, answer)
        }
        return answers
    }

    private init(_ script: DeviceScript, _ target: ScriptTarget, _ room: ScriptRoom) {
        self.script = script
        self.target = target
        self.room = room
    }

    deinit { try? nullDevice?.close() }

    private func answer(_ step: ScriptStep, line: Int) throws(ScriptProblem) -> ScriptAnswer {
        do throws(StepFailure) {
            return try perform(step)
        } catch {
            switch error {
            case .refused(let errno): return .error(errno)
            case .shortage(let reason): throw .shortage(line: line, reason: reason)
            }
        }
    }

    private enum StepFailure: Error {
        case refused(Errno)
        case shortage(String)
    }

    private func refusing<Value>(_ call: () throws(Errno) -> Value) throws(StepFailure) -> Value {
        do throws(Errno) {
            return try call()
        } catch {
            throw .refused(error)
        }
    }

    private func needing<Value>(
        _ what: String, _ call: () throws(Errno) -> Value
    ) throws(StepFailure) -> Value {
        do throws(Errno) {
            return try call()
        } catch {
            let advice =
                switch error {
                case .tooManyOpenFiles: "; raise the limit of open files (ulimit -n), or use fewer"
                case .noMemory: "; make less memory, or raise the limit of address space (ulimit -v)"
                default: ""
                }
            throw .shortage("\(what): \(error) (errno \(error.rawValue))\(advice)")
        }
    }

    private func perform(_ step: ScriptStep) throws(StepFailure) -> ScriptAnswer {
        switch step {
        case .open(let name):
            let device = try refusing { () throws(Errno) in try target.open() }
            files[name] = ScriptFile(device, callFromChild: target.callFromChild)
            return .ok
        case .close(let name):
            guard let file = files.removeValue(forKey: name) else { throw .refused(.badFileDescriptor) }
            file.close()
            return .ok
        case .request(let request, let name, let caller):
            return try perform(request, on: try file(name), by: caller)
        case .message(let message, let name):
            return try written(try file(name), message.encoded(memory: try address(message.memory)))
        case .write(let bytes, let name): return try written(try file(name), bytes)
        case .writeFrom(let pointer, let count, let name):
            let (file, address) = (try file(name), try address(pointer))
            return .number(
                UInt64(try refusing { () throws(Errno) in try file.write(from: address, byteCount: count) }))
        case .map(let doorbell, let name):
            let file = try file(name)
            try refusing { () throws(Errno) in try file.map(doorbell) }
            return .ok
        case .ring(let queue, let name):
            guard try file(name).ring(queue) else { throw .refused(.badAddress) }
            return .ok
        case .memory(let name, let count, let kind): return try make(name, Int(count.rawValue), kind)
        case .protect(let name, let offset, let count, let protection):
            let memory = try memory(name)
            try refusing { () throws(Errno) in
                try memory.protect(offset, byteCount: Int(count.rawValue), protection)
            }
            return .ok
        case .unmap(let name, let offset, let count):
            let memory = try memory(name)
            try refusing { () throws(Errno) in try memory.unmap(offset, byteCount: Int(count.rawValue)) }
            return .ok
        case .store(let name, let offset, let bytes):
            let memory = try memory(name)
            try refusing { () throws(Errno) in try memory.store(bytes, at: offset) }
            return .ok
        case .load(let name, let offset, let count):
            let memory = try memory(name)
            return .bytes(try refusing { () throws(Errno) in try memory.load(count, at: offset) })
        case .eventFD(let name, let initial):
            let event = try needing("an eventfd") { () throws(Errno) in try SharedEventFD() }
            events[name] = event
            return initial == 0 ? .ok : try add(initial, to: event)
        case .signal(let name, let count): return try add(count, to: try event(name))
        case .take(let name): return try take(try event(name))
        case .settle:
            settle()
            return .ok
        case .pause(let milliseconds):
            pause(milliseconds)
            return .ok
        }
    }

    // MARK: Requests and messages

    private func perform(
        _ request: ScriptRequest, on file: ScriptFile, by caller: ScriptCaller
    ) throws(StepFailure) -> ScriptAnswer {
        if caller == .child, target.callFromChild == nil {
            throw .shortage("this device cannot be called from a forked child")
        }
        let shape = request.kind?.shape
        if case .pointer(let pointer) = request.argument {
            let address = try address(pointer)
            try refusing { () throws(Errno) in try file.call(request.number, argument: address, by: caller) }
            return .ok
        }
        let bytes = whole(try encoded(request), of: request)
        let answer = try refusing { () throws(Errno) in
            try file.call(request.number, bytes: bytes, by: caller)
        }
        guard caller == .process else { return .ok }
        return switch shape {
        case .get(let byteCount, _): .number(Array(answer.prefix(byteCount)).littleEndianNumber)
        case .getState: .number(Array(answer[4..<8]).littleEndianNumber)
        case .getConfiguration where answer.count > 8: .bytes(Array(answer[8...]))
        case .getRange:
            .range(
                first: Array(answer[..<8]).littleEndianNumber,
                last: Array(answer[8..<16]).littleEndianNumber)
        default: .ok
        }
    }

    /// The bytes with zeroes behind them, as many as the kernel looks at: a script may give a request less, or the struct of
    /// another one, and a configuration's length with no room for it.
    private func whole(_ bytes: [UInt8], of request: ScriptRequest) -> [UInt8] {
        var count = Int(request.number >> 16 & 0x3fff)
        let isConfiguration = [.getConfiguration, .setConfiguration].contains(request.kind?.shape)
        if isConfiguration, bytes.count >= 8 {
            let length = Array(bytes[4..<8]).littleEndianNumber
            // What is beyond any configuration space is refused before it is looked at.
            count = 8 + Int(min(length, Self.configurationLimit))
        }
        return bytes + [UInt8](repeating: 0, count: max(0, count - bytes.count))
    }

    /// More than any configuration space has.
    private static let configurationLimit: UInt64 = 1 << 16

    /// What the argument points at, as the script has it.
    private func encoded(_ request: ScriptRequest) throws(StepFailure) -> [UInt8] {
        let size = Int(request.number >> 16 & 0x3fff)
        switch request.argument {
        case .nothing, .pointer: return [UInt8](repeating: 0, count: max(size, 8))
        case .number(let number):
            return Array((number.littleEndianBytes + [UInt8](repeating: 0, count: size)).prefix(max(size, 1)))
        case .state(let index, let number): return index.rawValue.littleEndianBytes + number.littleEndianBytes
        case .file(let index, let descriptor):
            return index.rawValue.littleEndianBytes + (try number(of: descriptor)).littleEndianBytes
        case .addresses(let areas):
            return areas.index.rawValue.littleEndianBytes + areas.flags.littleEndianBytes
                + [areas.descriptors, areas.used, areas.avail, areas.log].flatMap(
                    \.rawValue.littleEndianBytes)
        case .descriptor(let descriptor): return (try number(of: descriptor)).littleEndianBytes
        case .configurationRead(let offset, let count):
            return offset.littleEndianBytes + count.littleEndianBytes
        case .configurationWrite(let offset, let bytes):
            return offset.littleEndianBytes + UInt32(truncatingIfNeeded: bytes.count).littleEndianBytes
                + bytes
        case .bytes(let bytes): return bytes
        }
    }

    private func written(_ file: ScriptFile, _ bytes: [UInt8]) throws(StepFailure) -> ScriptAnswer {
        let count = try refusing { () throws(Errno) in try file.write(bytes) }
        // sizeof(struct vhost_msg_v2), of any message (drivers/vhost/vhost.c, vhost_chr_write_iter).
        return count == 72 ? .ok : .number(UInt64(count))
    }

    // MARK: The process

    private func file(_ name: ScriptName) throws(StepFailure) -> ScriptFile {
        guard let file = files[name] else { throw .refused(.badFileDescriptor) }
        return file
    }

    private func memory(_ name: ScriptName) throws(StepFailure) -> ScriptMemory {
        guard let memory = memories[name] else { throw .shortage("there is no memory \(name)") }
        return memory
    }

    private func event(_ name: ScriptName) throws(StepFailure) -> SharedEventFD {
        guard let event = events[name] else { throw .shortage("there is no eventfd \(name)") }
        return event
    }

    private func make(_ name: ScriptName, _ byteCount: Int, _ kind: ScriptMemoryKind) throws(StepFailure)
        -> ScriptAnswer
    {
        let memory = try needing("\(byteCount) bytes of memory") { () throws(Errno) in
            try makeMemory(byteCount, kind)
        }
        memories[name] = memory
        return .ok
    }

    /// Makes memory at the first place behind what there is that is free.
    private func makeMemory(_ byteCount: Int, _ kind: ScriptMemoryKind) throws(Errno) -> ScriptMemory {
        for _ in 0..<64 {
            defer { room.pass(byteCount) }
            do throws(Errno) {
                return try ScriptMemory(at: room.next, byteCount: byteCount, kind)
            } catch  where error == .fileExists {
                continue
            }
        }
        throw .fileExists
    }

    private func address(_ pointer: ScriptPointer) throws(StepFailure) -> UInt {
        switch pointer {
        case .number(let address): UInt(address.rawValue)
        case .memory(let name, let offset): try memory(name).address &+ UInt(offset)
        }
    }

    private func number(of descriptor: ScriptDescriptor) throws(StepFailure) -> UInt32 {
        switch descriptor {
        case .none: return UInt32(bitPattern: -1)
        // No process has so many.
        case .closed: return UInt32(Int32.max)
        case .eventFD(let name): return UInt32(bitPattern: try event(name).descriptor.rawValue)
        case .nullDevice:
            if let nullDevice { return UInt32(bitPattern: nullDevice.rawValue) }
            let opened = try needing("/dev/null") { () throws(Errno) in
                try ScriptFile.openNullDevice()
            }
            nullDevice = opened
            return UInt32(bitPattern: opened.rawValue)
        }
    }

    private func add(_ count: UInt64, to event: SharedEventFD) throws(StepFailure) -> ScriptAnswer {
        if let errno = EventFD.add(count, to: event.descriptor) { throw .refused(errno) }
        return .ok
    }

    private func take(_ event: SharedEventFD) throws(StepFailure) -> ScriptAnswer {
        let count = EventFD.drain(event.descriptor)
        guard count > 0 else { throw .refused(.resourceTemporarilyUnavailable) }
        return .number(count)
    }

    /// Lets time go by, in pieces short enough that an interruption is noticed.
    private func pause(_ milliseconds: Int) {
        var left = milliseconds
        while left > 0, !target.isInterrupted() {
            let piece = min(left, 50)
            _ = Glibc.poll(nil, 0, CInt(piece))
            left -= piece
        }
    }

    /// Waits for the device. One that nobody can ask is at rest when the script's memory has not changed for a while.
    private func settle() {
        if let settle = target.settle { return settle() }
        var before = memories.mapValues(\.fingerprint)
        for _ in 0..<100 where !target.isInterrupted() {
            _ = Glibc.poll(nil, 0, CInt(target.quietMilliseconds))
            let now = memories.mapValues(\.fingerprint)
            if now == before { return }
            before = now
        }
    }
}
