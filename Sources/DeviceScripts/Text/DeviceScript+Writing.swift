internal import GuestMemory
internal import VhostVDPA

extension DeviceScript: CustomStringConvertible {
    /// The script as text, a line for each step; reading it gives the same script (``init(parsing:)``).
    public var description: String { lines.map { "\($0)\n" }.joined() }
}

extension DeviceScript.Line: CustomStringConvertible {
    /// The line as text: the step, `->` and what is expected, `#` and the comment.
    public var description: String {
        var text = step.map { "\($0)" } ?? ""
        if let expectation {
            text += " -> \(ScriptText.text(expectation, of: step))"
        }
        // One line whatever the comment has: what stands behind a line's end would be a call.
        if let comment {
            let parts = comment.split(omittingEmptySubsequences: false) { Self.isEnd($0) }
            text += (text.isEmpty ? "# " : "  # ") + parts.joined(separator: " ")
        }
        return text
    }

    /// Whether a line of a script's text ends with the character.
    static func isEnd(_ character: Character) -> Bool {
        character == "\n" || character == "\r\n" || character == "\r"
    }
}

extension ScriptStep: CustomStringConvertible {
    /// The step as scripts write it.
    public var description: String {
        switch self {
        case .open(let file): file == .device ? "open" : "open \(file)"
        case .close(let file): file == .device ? "close" : "close \(file)"
        case .request(let request, let file, let caller):
            (caller == .child ? "child " : "") + ScriptText.prefix(file) + "\(request)"
        case .message(let message, let file): ScriptText.prefix(file) + "\(message)"
        case .write(let bytes, let file):
            ScriptText.prefix(file) + "write bytes=\(ScriptText.hexadecimal(bytes))"
        case .writeFrom(let pointer, let count, let file):
            ScriptText.prefix(file) + "write @\(ScriptText.text(pointer)) length=\(count)"
        case .map(let doorbell, let file):
            ScriptText.prefix(file) + "map queue=\(doorbell.queue) length=\(doorbell.byteCount)"
                + (doorbell.isReadable ? " readable" : "") + (doorbell.isShared ? "" : " private")
        case .ring(let queue, let file): ScriptText.prefix(file) + "doorbell queue=\(queue)"
        case .memory(let name, let count, let kind): "memory \(name) \(count) \(kind.rawValue)"
        case .protect(let name, let offset, let count, let protection):
            "protect \(ScriptText.place(name, offset)) \(count) \(protection.rawValue)"
        case .unmap(let name, let offset, let count): "unmap \(ScriptText.place(name, offset)) \(count)"
        case .store(let name, let offset, let bytes):
            "store \(ScriptText.place(name, offset)) bytes=\(ScriptText.hexadecimal(bytes))"
        case .load(let name, let offset, let count): "load \(ScriptText.place(name, offset)) length=\(count)"
        case .eventFD(let name, let initial):
            initial == 0 ? "eventfd \(name)" : "eventfd \(name) count=\(initial)"
        case .signal(let name, let count): count == 1 ? "signal \(name)" : "signal \(name) count=\(count)"
        case .take(let name): "take \(name)"
        case .settle: "settle"
        case .pause(let milliseconds): "pause \(milliseconds)ms"
        }
    }
}

extension ScriptMessage: CustomStringConvertible {
    /// The message as scripts write it; what is 0 is left out.
    public var description: String {
        var words = [kind.name]
        if version == .first { words.append("v1") }
        if addressSpace.rawValue != 0 { words.append("asid=\(addressSpace)") }
        if iova.rawValue != 0 { words.append("iova=\(ScriptText.hexadecimal(iova.rawValue))") }
        if size != 0 { words.append("size=\(ScriptText.hexadecimal(size))") }
        if memory != .number(HostAddress(rawValue: 0)) { words.append("memory=\(ScriptText.text(memory))") }
        if access != 0 { words.append("access=\(ScriptText.access(access))") }
        return words.joined(separator: " ")
    }
}

extension ScriptMessage.Kind {
    /// The kernel's name without `VHOST_IOTLB_`.
    var name: String {
        switch self {
        case .miss: "MISS"
        case .update: "UPDATE"
        case .invalidate: "INVALIDATE"
        case .accessFail: "ACCESS_FAIL"
        case .batchBegin: "BATCH_BEGIN"
        case .batchEnd: "BATCH_END"
        }
    }
}

extension ScriptRequest: CustomStringConvertible {
    /// The request as scripts write it.
    public var description: String {
        let kind = kind
        let name = kind?.name ?? "IOCTL \(ScriptText.hexadecimal(UInt64(number)))"
        let argument = ScriptText.text(argument, of: kind)
        return argument.isEmpty ? name : "\(name) \(argument)"
    }
}

/// How values stand in a script.
enum ScriptText {
    static func prefix(_ file: ScriptName) -> String { file == .device ? "" : "\(file)." }

    static func place(_ name: ScriptName, _ offset: UInt64) -> String { "\(name)+\(hexadecimal(offset))" }

    static func hexadecimal(_ number: UInt64) -> String { "0x\(String(number, radix: 16))" }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes {
            if byte < 16 { text += "0" }
            text += String(byte, radix: 16)
        }
        return text
    }

    static func text(_ pointer: ScriptPointer) -> String {
        switch pointer {
        case .number(let address): address.rawValue == 0 ? "null" : hexadecimal(address.rawValue)
        case .memory(let name, let offset): place(name, offset)
        }
    }

    static func text(_ descriptor: ScriptDescriptor) -> String {
        switch descriptor {
        case .none: "none"
        case .closed: "closed"
        case .nullDevice: "null"
        case .eventFD(let name): "\(name)"
        }
    }

    static func access(_ access: UInt8) -> String {
        switch access {
        case 1: "ro"
        case 2: "wo"
        case 3: "rw"
        default: "\(access)"
        }
    }

    static func text(_ argument: ScriptRequest.Argument, of kind: ScriptRequestKind?) -> String {
        switch argument {
        case .nothing: return ""
        case .pointer(let pointer): return "@\(text(pointer))"
        case .number(let number): return hexadecimal(number)
        case .state(let index, let number):
            let fields = kind?.fields ?? ScriptRequestKind.standardFields
            if kind?.shape == .getState, number == 0 { return "\(fields.index)=\(index)" }
            return "\(fields.index)=\(index) \(fields.number)=\(number)"
        case .file(let index, let descriptor):
            let word = (kind?.fields ?? ScriptRequestKind.standardFields).index
            return "\(word)=\(index) fd=\(text(descriptor))"
        case .addresses(let addresses): return text(addresses)
        case .descriptor(let descriptor): return "fd=\(text(descriptor))"
        case .configurationRead(let offset, let count): return "offset=\(offset) length=\(count)"
        case .configurationWrite(let offset, let bytes): return "offset=\(offset) bytes=\(hexadecimal(bytes))"
        case .bytes(let bytes): return "bytes=\(hexadecimal(bytes))"
        }
    }

    private static func text(_ addresses: ScriptVringAddresses) -> String {
        var words = ["index=\(addresses.index)"]
        if addresses.flags != 0 { words.append("flags=\(addresses.flags)") }
        words.append("desc=\(hexadecimal(addresses.descriptors.rawValue))")
        words.append("avail=\(hexadecimal(addresses.avail.rawValue))")
        words.append("used=\(hexadecimal(addresses.used.rawValue))")
        if addresses.log.rawValue != 0 { words.append("log=\(hexadecimal(addresses.log.rawValue))") }
        return words.joined(separator: " ")
    }

    static func text(_ expectation: ScriptExpectation, of step: ScriptStep?) -> String {
        switch expectation {
        case .exactly(let answer): text(answer, of: step)
        case .anySuccess(let answer): "?" + text(answer, of: step)
        }
    }

    /// An answer as it stands behind `->`; numbers in hexadecimal where the request's bits have names.
    static func text(_ answer: ScriptAnswer, of step: ScriptStep?) -> String {
        switch answer {
        case .ok: "ok"
        case .number(let number): isHexadecimal(step) ? hexadecimal(number) : "\(number)"
        case .range(let first, let last): "\(hexadecimal(first))..\(hexadecimal(last))"
        case .bytes(let bytes): "bytes=\(hexadecimal(bytes))"
        case .error(let errno): ErrnoName.text(errno)
        }
    }

    private static func isHexadecimal(_ step: ScriptStep?) -> Bool {
        guard case .request(let request, _, _) = step, case .get(_, true) = request.kind?.shape else {
            return false
        }
        return true
    }
}
