internal import GuestMemory
internal import SystemPackage
internal import VhostVDPA

/// An `ioctl(2)` on its way: its number, its address, and what stood there before the call.
struct RecordedRequest {
    let number: UInt
    let address: UInt
    let kind: ScriptRequestKind?
    /// What the argument points at, as far as it can be read.
    let readable: [UInt8]
    /// How many bytes the request is about.
    let byteCount: Int
    private let process: RecordedProcess

    /// Reads what a call of `process` is about to be given.
    init(number: UInt, address: UInt, of process: RecordedProcess) {
        self.number = number
        self.address = address
        self.process = process
        kind = .numbered(number)
        byteCount = Self.byteCount(number, kind, at: address, of: process)
        readable = process.readable(byteCount, address)
    }

    /// What the argument points at; `nil` where not all of it can be read.
    var bytes: [UInt8]? { readable.count == byteCount ? readable : nil }

    /// Whether the kernel writes to what the argument points at.
    var isAnswered: Bool {
        switch kind?.shape {
        case .get, .getState, .getConfiguration, .getRange: true
        case .none: number >> 30 & 2 != 0
        default: false
        }
    }

    /// The largest configuration space, and more than any has.
    private static let configurationLimit: UInt64 = 1 << 16

    private static func byteCount(
        _ number: UInt, _ kind: ScriptRequestKind?, at address: UInt, of process: RecordedProcess
    ) -> Int {
        var header: UInt64? { process.all(8, at: address)?.littleEndianNumber }
        return switch kind?.shape {
        case .nothing: 0
        case .getConfiguration, .setConfiguration:
            // A header that is no part's is refused before the bytes behind it are looked at.
            8 + Int(header.map { $0 >> 32 }.flatMap { $0 <= configurationLimit ? $0 : nil } ?? 0)
        case .bytes: 8 + Int(header.flatMap { $0 <= 64 ? $0 * 32 : nil } ?? 0)
        default: Int(number >> 16 & 0x3fff)
        }
    }

    /// The argument, where it is no pointer alone. `descriptor` gives descriptors their names, of which a wish is given.
    func argument(descriptor: (Int32, String) -> ScriptDescriptor) -> ScriptRequest.Argument? {
        guard let bytes else { return nil }
        func word(_ offset: Int) -> UInt32 {
            UInt32(truncatingIfNeeded: Array(bytes[offset..<offset + 4]).littleEndianNumber)
        }
        func address(_ offset: Int) -> IOVirtualAddress {
            IOVirtualAddress(rawValue: Array(bytes[offset..<offset + 8]).littleEndianNumber)
        }
        switch kind?.shape {
        case .nothing, .get, .getRange: return .nothing
        case .none: return byteCount == 0 ? .nothing : .bytes(bytes)
        case .set: return .number(bytes.littleEndianNumber)
        case .setState, .getState: return .state(index: VringIndex(rawValue: word(0)), number: word(4))
        case .file:
            let name = "\(fileName)\(word(0))"
            return .file(
                index: VringIndex(rawValue: word(0)), descriptor(Int32(bitPattern: word(4)), name))
        case .descriptor: return .descriptor(descriptor(Int32(bitPattern: word(0)), fileName))
        case .addresses:
            return .addresses(
                ScriptVringAddresses(
                    index: VringIndex(rawValue: word(0)), flags: word(4), descriptors: address(8),
                    avail: address(24), used: address(16), log: address(32)))
        case .getConfiguration: return .configurationRead(offset: word(0), byteCount: word(4))
        case .setConfiguration:
            // One that is too long for a line is refused by its length alone.
            guard byteCount == 8 + Int(word(4)) else { return .bytes(bytes) }
            return .configurationWrite(offset: word(0), bytes: Array(bytes[8...]))
        case .bytes: return .bytes(bytes)
        }
    }

    /// What an eventfd is called that a request gives the device first.
    private var fileName: String {
        switch kind?.name {
        case "SET_VRING_KICK": "kick"
        case "SET_VRING_CALL": "call"
        case "SET_VRING_ERR": "error"
        case "SET_CONFIG_CALL": "config"
        default: "event"
        }
    }

    /// What the kernel has stored where the argument points at: the answer of a call that succeeded.
    func answer() -> ScriptAnswer {
        guard let bytes = process.all(byteCount, at: address) else { return .ok }
        return switch kind?.shape {
        case .get: .number(bytes.littleEndianNumber)
        case .getState: .number(Array(bytes[4...]).littleEndianNumber)
        case .getConfiguration where bytes.count > 8: .bytes(Array(bytes[8...]))
        case .getRange:
            .range(
                first: Array(bytes[..<8]).littleEndianNumber, last: Array(bytes[8...]).littleEndianNumber)
        default: .ok
        }
    }
}
