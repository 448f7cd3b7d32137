internal import GuestMemory
internal import VhostVDPA

extension DeviceScript {
    /// Reads a script's text. The whole text is read before anything is done with it.
    ///
    /// - Throws: The first line that is none.
    public init(parsing text: String) throws(ScriptTextError) {
        var lines: [Line] = []
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in parts.enumerated() {
            do throws(ScriptLineError) {
                lines.append(try Line(parsing: line))
            } catch {
                throw ScriptTextError(line: index + 1, reason: error.reason)
            }
        }
        // What stands behind the last line's end is no line.
        if lines.last == Line(nil) { lines.removeLast() }
        self.init(lines: lines)
    }
}

/// Why a line is no step.
struct ScriptLineError: Error { let reason: String }

extension DeviceScript.Line {
    init(parsing text: Substring) throws(ScriptLineError) {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let comment = parts.count == 2 ? String(parts[1].drop { $0 == " " }) : nil
        let words = parts[0].split { $0 == " " || $0 == "\t" || $0 == "\r" }
        guard !words.isEmpty else {
            self.init(nil, comment: comment)
            return
        }
        let arrow = words.firstIndex(of: "->")
        var reader = ScriptLineReader(words: words[..<(arrow ?? words.endIndex)])
        let step = try reader.step()
        guard let arrow else {
            self.init(step, comment: comment)
            return
        }
        guard words.count == arrow + 2 else {
            throw ScriptLineError(reason: "one answer is expected behind '->'")
        }
        self.init(step, expecting: try ScriptLineReader.expectation(words[arrow + 1]), comment: comment)
    }
}

/// Reads the words of one line up to `->`.
struct ScriptLineReader {
    private var words: [Substring]
    /// What stands as `key=value`, less what was taken.
    private var values: [(key: Substring, value: Substring)] = []
    /// The other words behind the first, less what was taken.
    private var bare: [Substring] = []
    private var verb: Substring = ""

    init(words: ArraySlice<Substring>) { self.words = Array(words) }

    mutating func step() throws(ScriptLineError) -> ScriptStep {
        var caller = ScriptCaller.process
        if words.first == "child" {
            caller = .child
            words.removeFirst()
        }
        guard let first = words.first else {
            throw ScriptLineError(reason: "a call is expected behind 'child'")
        }
        let parts = first.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let file = parts.count == 2 ? try name(parts[0]) : .device
        verb = parts[parts.count - 1]
        for word in words.dropFirst() {
            let sides = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if sides.count == 2 {
                guard !values.contains(where: { $0.key == sides[0] }) else {
                    throw ScriptLineError(reason: "\(sides[0])= stands twice")
                }
                values.append((sides[0], sides[1]))
            } else {
                bare.append(word)
            }
        }
        let step = try step(of: file, by: caller)
        guard values.isEmpty, bare.isEmpty else {
            let left = bare.first.map(String.init) ?? values.first.map { "\($0.key)=" } ?? ""
            throw ScriptLineError(reason: "'\(left)' says nothing to \(verb)")
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
        switch verb {
        case "open": return .open(file: try fileName())
        case "close": return .close(file: try fileName())
        case "write": return try write(file)
        case "map":
            return .map(
                ScriptDoorbell(
                    queue: try index("queue"), byteCount: Int(try number32("length")),
                    isReadable: flag("readable"),
                    isShared: !flag("private")), file: file)
        case "doorbell": return .ring(try index("queue"), file: file)
        case "memory": return .memory(try newName(), byteCount: try size(), try oneOf(ScriptMemoryKind.self))
        case "protect":
            let (name, offset) = try place()
            return .protect(name, offset: offset, byteCount: try size(), try oneOf(ScriptProtection.self))
        case "unmap":
            let (name, offset) = try place()
            return .unmap(name, offset: offset, byteCount: try size())
        case "store":
            let (name, offset) = try place()
            return .store(name, offset: offset, bytes: try bytes())
        case "load":
            let (name, offset) = try place()
            return .load(name, offset: offset, byteCount: Int(try number32("length")))
        case "eventfd": return .eventFD(try newName(), initial: try optionalNumber("count") ?? 0)
        case "signal": return .signal(try newName(), count: try optionalNumber("count") ?? 1)
        case "take": return .take(try newName())
        case "settle": return .settle
        case "pause": return .pause(milliseconds: try milliseconds())
        case "IOCTL":
            guard let word = takeBare(), let number = Self.number(word) else {
                throw ScriptLineError(
                    reason: "IOCTL takes a request's number first, as IOCTL 0x4008afee bytes=00")
            }
            return .request(
                ScriptRequest(number: UInt(number), try argument(of: .numbered(UInt(number)))), file: file,
                by: caller)
        default:
            if let kind = ScriptMessage.Kind.allCases.first(where: { $0.name == verb }) {
                return .message(try message(kind), file: file)
            }
            guard let kind = ScriptRequestKind.named(verb) else {
                throw ScriptLineError(
                    reason:
                        "'\(verb)' is no call: a request's name without VHOST_ and VDPA_, IOCTL and its number,"
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
        if let pointer = try takePointer() { return .pointer(pointer) }
        if let word = takeBare() {
            guard let number = Self.number(word) else { throw Self.noNumber(word) }
            return .number(number)
        }
        let fields = kind?.fields ?? ScriptRequestKind.standardFields
        if has("desc") { return .addresses(try addresses()) }
        if has(fields.index) {
            let index = try index(fields.index)
            if let descriptor = try optionalDescriptor() { return .file(index: index, descriptor) }
            return .state(index: index, number: has(fields.number) ? try number32(fields.number) : 0)
        }
        if has("offset") {
            let offset = try number32("offset")
            guard has("length") else { return .configurationWrite(offset: offset, bytes: try bytes()) }
            return .configurationRead(offset: offset, byteCount: try number32("length"))
        }
        if let descriptor = try optionalDescriptor() { return .descriptor(descriptor) }
        if has("bytes") { return .bytes(try bytes()) }
        return .nothing
    }

    private mutating func addresses() throws(ScriptLineError) -> ScriptVringAddresses {
        ScriptVringAddresses(
            index: try index("index"), flags: has("flags") ? try number32("flags") : 0,
            descriptors: try address("desc"), avail: try address("avail"), used: try address("used"),
            log: has("log") ? try address("log") : IOVirtualAddress(rawValue: 0))
    }

    private mutating func message(_ kind: ScriptMessage.Kind) throws(ScriptLineError) -> ScriptMessage {
        ScriptMessage(
            kind, version: flag("v1") ? .first : .second,
            addressSpace: AddressSpaceID(rawValue: has("asid") ? try number32("asid") : 0),
            iova: has("iova") ? try address("iova") : IOVirtualAddress(rawValue: 0),
            size: try optionalNumber("size") ?? 0, memory: try optionalPointer("memory"), access: try access()
        )
    }

    private mutating func access() throws(ScriptLineError) -> UInt8 {
        guard let word = take("access") else { return 0 }
        switch word {
        case "ro": return 1
        case "wo": return 2
        case "rw": return 3
        default:
            guard let number = Self.number(word).flatMap(UInt8.init(exactly:)) else {
                throw ScriptLineError(reason: "access= takes ro, wo, rw or a number up to 255, no '\(word)'")
            }
            return number
        }
    }

    private mutating func write(_ file: ScriptName) throws(ScriptLineError) -> ScriptStep {
        if let pointer = try takePointer() {
            return .writeFrom(pointer, byteCount: Int(try number32("length")), file: file)
        }
        return .write(try bytes(), file: file)
    }

    // MARK: Words

    private func has(_ key: String) -> Bool { values.contains { $0.key == key } }

    private mutating func take(_ key: String) -> Substring? {
        guard let index = values.firstIndex(where: { $0.key == key }) else { return nil }
        return values.remove(at: index).value
    }

    private mutating func takeBare() -> Substring? { bare.isEmpty ? nil : bare.removeFirst() }

    private mutating func needBare(_ what: String) throws(ScriptLineError) -> Substring {
        guard let word = takeBare() else { throw ScriptLineError(reason: "\(verb) takes \(what)") }
        return word
    }

    private mutating func flag(_ word: String) -> Bool {
        guard let index = bare.firstIndex(where: { $0 == word }) else { return false }
        bare.remove(at: index)
        return true
    }

    private mutating func fileName() throws(ScriptLineError) -> ScriptName {
        guard let word = takeBare() else { return .device }
        return try name(word)
    }

    private mutating func newName() throws(ScriptLineError) -> ScriptName { try name(try needBare("a name")) }

    private func name(_ word: Substring) throws(ScriptLineError) -> ScriptName {
        guard let name = ScriptName(rawValue: String(word)), !["none", "closed", "null"].contains(word) else {
            throw ScriptLineError(
                reason:
                    "'\(word)' is no name: letters, digits, - and _, a letter first; none, closed and null are taken"
            )
        }
        return name
    }

    private mutating func place() throws(ScriptLineError) -> (ScriptName, UInt64) {
        let word = try needBare("a place in memory, as ram+0x1000")
        guard case .memory(let name, let offset) = try pointer(word) else {
            throw ScriptLineError(reason: "'\(word)' is no place in memory, as ram+0x1000 is")
        }
        return (name, offset)
    }

    private mutating func size() throws(ScriptLineError) -> ByteCount {
        let word = try needBare("a size, as 64K")
        guard let count = ByteCount(parsing: word), count.rawValue > 0 else {
            throw ScriptLineError(reason: "'\(word)' is no size, as 4096, 64K or 2M is")
        }
        return count
    }

    private mutating func oneOf<Value: CaseIterable & RawRepresentable<String>>(
        _: Value.Type
    ) throws(ScriptLineError) -> Value {
        let choices = Value.allCases.map(\.rawValue).joined(separator: ", ")
        let word = try needBare("one of \(choices)")
        guard let value = Value(rawValue: String(word)) else {
            throw ScriptLineError(reason: "'\(word)' is none of \(choices)")
        }
        return value
    }

    private mutating func milliseconds() throws(ScriptLineError) -> Int {
        let word = try needBare("a time, as 5ms")
        guard word.hasSuffix("ms"), let number = UInt32(word.dropLast(2)) else {
            throw ScriptLineError(reason: "'\(word)' is no time, as 5ms is")
        }
        return Int(number)
    }

    private mutating func bytes() throws(ScriptLineError) -> [UInt8] {
        guard let word = take("bytes") else {
            throw ScriptLineError(reason: "\(verb) takes bytes= with two hexadecimal digits for each")
        }
        return try Self.bytes(word)
    }

    private mutating func optionalDescriptor() throws(ScriptLineError) -> ScriptDescriptor? {
        switch take("fd") {
        case nil: nil
        case "none": ScriptDescriptor.none
        case "closed": .closed
        case "null": .nullDevice
        case .some(let word): .eventFD(try name(word))
        }
    }

    private mutating func takePointer() throws(ScriptLineError) -> ScriptPointer? {
        guard let index = bare.firstIndex(where: { $0.hasPrefix("@") }) else { return nil }
        return try pointer(bare.remove(at: index).dropFirst())
    }

    private mutating func optionalPointer(_ key: String) throws(ScriptLineError) -> ScriptPointer {
        guard let word = take(key) else { return .number(HostAddress(rawValue: 0)) }
        return try pointer(word)
    }

    private func pointer(_ word: Substring) throws(ScriptLineError) -> ScriptPointer {
        if word == "null" { return .number(HostAddress(rawValue: 0)) }
        if let number = Self.number(word) { return .number(HostAddress(rawValue: number)) }
        let sides = word.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else { return .memory(try name(sides[0]), offset: 0) }
        guard let offset = Self.number(sides[1]) else { throw Self.noNumber(sides[1]) }
        return .memory(try name(sides[0]), offset: offset)
    }

    private mutating func address(_ key: String) throws(ScriptLineError) -> IOVirtualAddress {
        IOVirtualAddress(rawValue: try needNumber(key))
    }

    private mutating func index(_ key: String) throws(ScriptLineError) -> VringIndex {
        VringIndex(rawValue: try number32(key))
    }

    private mutating func number32(_ key: String) throws(ScriptLineError) -> UInt32 {
        let number = try needNumber(key)
        guard let number = UInt32(exactly: number) else {
            throw ScriptLineError(reason: "\(key)= takes a number of 32 bits, no \(number)")
        }
        return number
    }

    private mutating func needNumber(_ key: String) throws(ScriptLineError) -> UInt64 {
        guard let number = try optionalNumber(key) else {
            throw ScriptLineError(reason: "\(verb) takes \(key)= with a number")
        }
        return number
    }

    private mutating func optionalNumber(_ key: String) throws(ScriptLineError) -> UInt64? {
        guard let word = take(key) else { return nil }
        guard let number = Self.number(word) else { throw Self.noNumber(word) }
        return number
    }

    // MARK: Values

    private static func noNumber(_ word: Substring) -> ScriptLineError {
        ScriptLineError(reason: "'\(word)' is no number: decimal, or hexadecimal behind 0x")
    }

    private static func number(_ word: Substring) -> UInt64? {
        word.hasPrefix("0x") ? UInt64(word.dropFirst(2), radix: 16) : UInt64(word)
    }

    private static func bytes(_ word: Substring) throws(ScriptLineError) -> [UInt8] {
        let digits = word.utf8.map {
            Character(Unicode.Scalar($0)).hexDigitValue.flatMap(UInt8.init(exactly:))
        }
        guard digits.count % 2 == 0, digits.allSatisfy({ $0 != nil }) else {
            throw ScriptLineError(reason: "'\(word.prefix(32))' is no bytes: two hexadecimal digits for each")
        }
        return stride(from: 0, to: digits.count, by: 2).map { (digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0) }
    }

    static func expectation(_ word: Substring) throws(ScriptLineError) -> ScriptExpectation {
        guard word.hasPrefix("?") else { return .exactly(try answer(word)) }
        let answer = try answer(word.dropFirst())
        guard answer.isSuccess else {
            throw ScriptLineError(reason: "behind '?' stands what succeeded, no error")
        }
        return .anySuccess(seen: answer)
    }

    private static func answer(_ word: Substring) throws(ScriptLineError) -> ScriptAnswer {
        if word == "ok" { return .ok }
        if word.hasPrefix("bytes=") { return .bytes(try bytes(word.dropFirst(6))) }
        if let number = number(word) { return .number(number) }
        if let errno = ErrnoName.errno(word) { return .error(errno) }
        let ends = word.split(separator: ".", omittingEmptySubsequences: true).map(number)
        if ends.count == 2, let first = ends[0], let last = ends[1] {
            return .range(first: first, last: last)
        }
        throw ScriptLineError(
            reason:
                "'\(word)' is no answer: ok, a number, 0x0..0xff, bytes=…, an error as EINVAL; '?' before it takes"
                + " any other success")
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
