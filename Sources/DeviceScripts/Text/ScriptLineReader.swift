internal import GuestMemory
internal import VhostVDPA

/// Reads the words of one line up to `->`.
struct ScriptLineReader {
    private var words: ScriptWords

    /// The step that `words` are.
    static func step(_ words: ArraySlice<Substring>) throws(ScriptLineError) -> ScriptStep {
        let caller: ScriptCaller = words.first == "child" ? .child : .process
        let words = caller == .child ? words.dropFirst() : words
        guard let first = words.first else {
            throw ScriptLineError(reason: "a call is expected behind 'child'")
        }
        let parts = first.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let file = parts.count == 2 ? try ScriptLiteral.name(parts[0]) : .device
        let verb = parts[parts.count - 1]
        var reader = Self(words: try ScriptWords(verb: verb, words.dropFirst()))
        let step = try reader.step(of: file, by: caller)
        if let left = reader.words.left {
            throw ScriptLineError(reason: "'\(ScriptLiteral.shown(left))' says nothing to \(verb)")
        }
        if parts.count == 2, !step.hasFile { throw ScriptLineError(reason: "\(verb) is not done to a file") }
        guard caller == .process || step.isRequest else {
            throw ScriptLineError(reason: "a child makes ioctls alone, no \(verb)")
        }
        return step
    }

    private mutating func step(of file: ScriptName, by caller: ScriptCaller) throws(ScriptLineError)
        -> ScriptStep
    {
        switch words.verb {
        case "open": return .open(file: try words.fileName())
        case "close": return .close(file: try words.fileName())
        case "write": return try write(file)
        case "map":
            return .map(
                ScriptDoorbell(
                    queue: try words.index("queue"), byteCount: Int(try words.number32("length")),
                    isReadable: words.flag("readable"),
                    isShared: !words.flag("private")), file: file)
        case "doorbell": return .ring(try words.index("queue"), file: file)
        case "memory":
            return .memory(
                try words.newName(), byteCount: try words.size(), try words.oneOf(ScriptMemoryKind.self))
        case "protect":
            let (name, offset) = try words.place()
            return .protect(
                name, offset: offset, byteCount: try words.size(), try words.oneOf(ScriptProtection.self))
        case "unmap":
            let (name, offset) = try words.place()
            return .unmap(name, offset: offset, byteCount: try words.size())
        case "store":
            let (name, offset) = try words.place()
            return .store(name, offset: offset, bytes: try words.bytes())
        case "load":
            let (name, offset) = try words.place()
            return .load(name, offset: offset, byteCount: Int(try words.number32("length")))
        case "eventfd": return .eventFD(try words.newName(), initial: try words.optionalNumber("count") ?? 0)
        case "signal": return .signal(try words.newName(), count: try words.optionalNumber("count") ?? 1)
        case "take": return .take(try words.newName())
        case "settle": return .settle
        case "pause": return .pause(milliseconds: try words.milliseconds())
        case "IOCTL":
            guard let word = words.takeBare(), let number = ScriptLiteral.number(word), number <= UInt32.max
            else {
                throw ScriptLineError(
                    reason:
                        "IOCTL takes a request's number first, of 32 bits, as IOCTL 0x4008afee bytes=00")
            }
            return .request(
                ScriptRequest(number: UInt(number), try argument(of: .numbered(UInt(number)))), file: file,
                by: caller)
        default:
            if let kind = ScriptMessage.Kind.allCases.first(where: { $0.name == words.verb }) {
                return .message(try message(kind), file: file)
            }
            guard let kind = ScriptRequestKind.named(words.verb) else {
                throw ScriptLineError(
                    reason:
                        "'\(ScriptLiteral.shown(words.verb))' is no call: a request's name without VHOST_ and VDPA_, IOCTL and its number,"
                        + " or one of open, close, write, map, doorbell, memory, protect, unmap, store, load,"
                        + " eventfd, signal, take, settle, pause")
            }
            return .request(
                ScriptRequest(number: kind.number, try argument(of: kind)), file: file, by: caller)
        }
    }

    // MARK: Calls on the file

    private mutating func argument(of kind: ScriptRequestKind?) throws(ScriptLineError)
        -> ScriptRequest.Argument
    {
        if let pointer = try words.takePointer() { return .pointer(pointer) }
        if let word = words.takeBare() {
            guard let number = ScriptLiteral.number(word) else { throw ScriptLiteral.noNumber(word) }
            try Self.require(number, fits: kind)
            return .number(number)
        }
        let fields = kind?.fields ?? ScriptRequestKind.standardFields
        if words.has("desc") { return .addresses(try addresses()) }
        if words.has(fields.index) {
            let index = try words.index(fields.index)
            if let descriptor = try words.optionalDescriptor() { return .file(index: index, descriptor) }
            return .state(
                index: index, number: words.has(fields.number) ? try words.number32(fields.number) : 0)
        }
        if words.has("offset") {
            let offset = try words.number32("offset")
            guard words.has("length") else {
                return .configurationWrite(offset: offset, bytes: try words.bytes())
            }
            return .configurationRead(offset: offset, byteCount: try words.number32("length"))
        }
        if let descriptor = try words.optionalDescriptor() { return .descriptor(descriptor) }
        if words.has("bytes") { return .bytes(try words.bytes()) }
        return .nothing
    }

    /// What would be cut off is refused: SET_STATUS 0x100 would be a reset.
    private static func require(
        _ number: UInt64, fits kind: ScriptRequestKind?
    ) throws(ScriptLineError) {
        guard case .set(let byteCount) = kind?.shape, byteCount < 8, number >> UInt64(8 * byteCount) != 0
        else { return }
        throw ScriptLineError(
            reason: "\(kind?.name ?? "") takes a number of \(8 * byteCount) bits, no \(number)")
    }

    private mutating func addresses() throws(ScriptLineError) -> ScriptVringAddresses {
        ScriptVringAddresses(
            index: try words.index("index"), flags: words.has("flags") ? try words.number32("flags") : 0,
            descriptors: try words.address("desc"), avail: try words.address("avail"),
            used: try words.address("used"),
            log: words.has("log") ? try words.address("log") : IOVirtualAddress(rawValue: 0))
    }

    private mutating func message(_ kind: ScriptMessage.Kind) throws(ScriptLineError) -> ScriptMessage {
        ScriptMessage(
            kind, version: words.flag("v1") ? .first : .second,
            addressSpace: AddressSpaceID(rawValue: words.has("asid") ? try words.number32("asid") : 0),
            iova: words.has("iova") ? try words.address("iova") : IOVirtualAddress(rawValue: 0),
            size: try words.optionalNumber("size") ?? 0, memory: try words.optionalPointer("memory"),
            access: try access()
        )
    }

    private mutating func access() throws(ScriptLineError) -> UInt8 {
        guard let word = words.take("access") else { return 0 }
        switch word {
        case "ro": return 1
        case "wo": return 2
        case "rw": return 3
        default:
            guard let number = ScriptLiteral.number(word).flatMap(UInt8.init(exactly:)) else {
                throw ScriptLineError(
                    reason:
                        "access= takes ro, wo, rw or a number up to 255, no '\(ScriptLiteral.shown(word))'")
            }
            return number
        }
    }

    private mutating func write(_ file: ScriptName) throws(ScriptLineError) -> ScriptStep {
        if let pointer = try words.takePointer() {
            return .writeFrom(pointer, byteCount: Int(try words.number32("length")), file: file)
        }
        return .write(try words.bytes(), file: file)
    }
}

extension ScriptStep {
    /// Whether a file's name may stand before the verb.
    fileprivate var hasFile: Bool {
        switch self {
        case .request, .message, .write, .writeFrom, .map, .ring: true
        default: false
        }
    }

    fileprivate var isRequest: Bool { if case .request = self { true } else { false } }
}
