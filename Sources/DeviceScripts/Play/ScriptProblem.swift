internal import GuestMemory

/// Why a script cannot be played, or was not played to its end.
public enum ScriptProblem: Error, Hashable, Sendable {
    /// A step speaks of something that the script has not made, or makes twice; said before anything is done.
    case wrong(line: Int, reason: String)
    /// This process or the machine lacks something that a step takes.
    case shortage(line: Int, reason: String)
}

extension ScriptProblem: CustomStringConvertible {
    /// The line and the reason.
    public var description: String {
        switch self {
        case .wrong(let line, let reason), .shortage(let line, let reason): "line \(line): \(reason)"
        }
    }
}

extension DeviceScript {
    /// What memory may be in all, in bytes: a script is to do no harm by a mistake.
    static var memoryLimit: UInt64 { 1 << 46 }

    /// What is read at a time, in bytes: an answer is for people.
    static var loadLimit: Int { 1 << 20 }

    /// Refuses a script that speaks of what it has not made. ``ScriptPlayer`` does so itself.
    package func check() throws(ScriptProblem) {
        var memory: [ScriptName: UInt64] = [:]
        var events: Set<ScriptName> = []
        var total: UInt64 = 0
        for (index, line) in lines.enumerated() {
            guard let step = line.step else { continue }
            func wrong(_ reason: String) -> ScriptProblem { .wrong(line: index + 1, reason: reason) }
            for name in step.events where !events.contains(name) {
                throw wrong("there is no eventfd \(name); a line 'eventfd \(name)' makes it")
            }
            for name in step.memories where memory[name] == nil {
                throw wrong("there is no memory \(name); a line 'memory \(name) 64K shared' makes it")
            }
            switch step {
            case .memory(let name, let count, _):
                guard memory[name] == nil, !events.contains(name) else {
                    throw wrong("there is a \(name) already")
                }
                guard count.rawValue % UInt64(ScriptMemory.pageByteCount) == 0 else {
                    throw wrong("\(count) is no whole number of pages")
                }
                guard count.rawValue <= Self.memoryLimit - total else {
                    throw wrong("that is more memory than an address space has")
                }
                total += count.rawValue
                memory[name] = count.rawValue
            case .eventFD(let name, _):
                guard memory[name] == nil, events.insert(name).inserted else {
                    throw wrong("there is a \(name) already")
                }
            case .protect(let name, let offset, let count, _), .unmap(let name, let offset, let count):
                try require(offset, count.rawValue, within: memory[name], wrong)
                guard (offset | count.rawValue) % UInt64(ScriptMemory.pageByteCount) == 0 else {
                    throw wrong("only whole pages can be changed")
                }
            case .store(let name, let offset, let bytes):
                try require(offset, UInt64(bytes.count), within: memory[name], wrong)
            case .load(let name, let offset, let count):
                try require(offset, UInt64(count), within: memory[name], wrong)
                guard count <= Self.loadLimit else {
                    throw wrong("no more than \(Self.loadLimit) bytes are read at a time")
                }
            default: break
            }
        }
    }

    private func require(
        _ offset: UInt64, _ count: UInt64, within size: UInt64?, _ wrong: (String) -> ScriptProblem
    ) throws(ScriptProblem) {
        guard let size, count <= size, offset <= size - count else {
            throw wrong("the place lies outside its memory")
        }
    }
}

extension ScriptStep {
    /// The eventfds that the step needs.
    package var events: [ScriptName] {
        switch self {
        case .signal(let name, _), .take(let name): [name]
        case .request(let request, _, _):
            switch request.argument {
            case .file(_, .eventFD(let name)), .descriptor(.eventFD(let name)): [name]
            default: []
            }
        default: []
        }
    }

    /// The memory that the step needs.
    package var memories: [ScriptName] {
        switch self {
        case .protect(let name, _, _, _), .unmap(let name, _, _), .store(let name, _, _),
            .load(let name, _, _):
            [name]
        case .message(let message, _): Self.name(message.memory)
        case .writeFrom(let pointer, _, _): Self.name(pointer)
        case .request(let request, _, _):
            if case .pointer(let pointer) = request.argument { Self.name(pointer) } else { [] }
        default: []
        }
    }

    private static func name(_ pointer: ScriptPointer) -> [ScriptName] {
        if case .memory(let name, _) = pointer { [name] } else { [] }
    }
}
