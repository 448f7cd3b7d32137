import SystemPackage
import VhostVDPA

/// A message as its bytes say it.
struct Message: Hashable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// An INVALIDATE of what another message maps.
    static func invalidate(of other: Message) -> Message {
        var bytes = other.bytes
        bytes[33] = 3
        return Message(bytes)
    }

    static func ofKind(_ kind: UInt8) -> Message {
        var bytes = [UInt8](repeating: 0, count: 40)
        bytes[0] = 2
        bytes[33] = kind
        return Message(bytes)
    }

    /// Its kind: 2 UPDATE, 3 INVALIDATE, 5 BATCH_BEGIN, 6 BATCH_END; 0xff for what is too short for one.
    var kind: UInt8 { bytes.count > 33 ? bytes[33] : 0xff }
    var permission: UInt8 { bytes.count > 33 ? bytes[32] : 0 }
    var addressSpace: UInt32 { UInt32(truncatingIfNeeded: number(4, 4)) }
    var iova: UInt64 { number(8, 8) }
    var size: UInt64 { number(16, 8) }
    var user: UInt64 { number(24, 8) }

    /// Whether the two ranges share an address.
    func touches(_ other: Message) -> Bool {
        iova <= other.iova &+ (other.size &- 1) && other.iova <= iova &+ (size &- 1)
    }

    private func number(_ offset: Int, _ count: Int) -> UInt64 {
        guard bytes.count >= offset + count else { return 0 }
        return bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// What has happened at the device so far, as far as it succeeded: what a break may depend on.
final class Scene {
    private var file: (any CharacterDevice)?
    private(set) var isOwned = false
    private(set) var acknowledged: UInt64 = 0
    private(set) var status: UInt8 = 0
    private(set) var isSuspended = false
    private(set) var isInBatch = false
    /// The updates that stand.
    private(set) var updates: [Message] = []
    private(set) var enabled: Set<UInt32> = []
    private(set) var kicks: [UInt32: UInt32] = [:]
    private(set) var calls: [UInt32: UInt32] = [:]
    /// Where each ring's descriptors and its avail ring are, as IOVAs.
    private(set) var rings: [UInt32: (descriptors: UInt64, avail: UInt64)] = [:]
    /// The acknowledgement while the first update came.
    private(set) var acknowledgedWhenMapped: UInt64?
    /// The last call was a status reset.
    private(set) var wasJustReset = false
    /// The file before this one was closed with a batch open, or with this acknowledged.
    private(set) var leftBatch = false
    private(set) var leftAcknowledged: UInt64 = 0

    var isRunning: Bool { status & 4 != 0 }

    /// The client's own address of what it has mapped at `iova`.
    func user(_ iova: UInt64) -> UInt? {
        updates.first { $0.iova <= iova && iova - $0.iova < $0.size }.map { UInt($0.user + (iova - $0.iova)) }
    }

    func open(_ file: any CharacterDevice) { self.file = file }

    func close() {
        guard file != nil else { return }
        let (batch, features) = (isInBatch, acknowledged)
        file = nil
        isOwned = false
        acknowledged = 0
        status = 0
        isSuspended = false
        isInBatch = false
        updates = []
        enabled = []
        kicks = [:]
        calls = [:]
        rings = [:]
        acknowledgedWhenMapped = nil
        wasJustReset = false
        leftBatch = batch
        leftAcknowledged = features
    }

    /// Passes a request on.
    func forward(_ ioctl: Ioctl) -> Result<Int32, Errno> {
        guard let file else { return .failure(.badFileDescriptor) }
        wasJustReset = false
        do throws(Errno) {
            let answer = try file.ioctl(ioctl.request, ioctl.argument)
            note(ioctl)
            return .success(answer)
        } catch {
            return .failure(error)
        }
    }

    /// Makes a request of the break's own, with eight bytes behind the pointer.
    @discardableResult
    func call(_ request: UInt, _ value: UInt64) -> Result<Int32, Errno> {
        var value = value
        return unsafe withUnsafeMutableBytes(of: &value) { bytes in
            forward(Ioctl(request: request, argument: UInt(bitPattern: bytes.baseAddress)))
        }
    }

    /// Passes a message on.
    @discardableResult
    func forward(_ message: Message) -> Result<Int, Errno> {
        guard let file else { return .failure(.badFileDescriptor) }
        wasJustReset = false
        return unsafe message.bytes.withUnsafeBytes { bytes in
            do throws(Errno) {
                let count = try unsafe file.write(bytes)
                note(message)
                return .success(count)
            } catch {
                return .failure(error)
            }
        }
    }

    private func note(_ ioctl: Ioctl) {
        switch ioctl.request {
        case Number.setOwner: isOwned = true
        case Number.setBackendFeatures: acknowledged = ioctl.value
        case Number.setStatus:
            status = ioctl.byte
            guard status == 0 else { return }
            isSuspended = false
            enabled = []
            wasJustReset = true
        case Number.suspend: isSuspended = isRunning
        case Number.setVringEnable where ioctl.word(1) == 0: enabled.remove(ioctl.word(0))
        case Number.setVringEnable: enabled.insert(ioctl.word(0))
        case Number.setVringKick: kicks[ioctl.word(0)] = ioctl.word(1)
        case Number.setVringAddr: rings[ioctl.word(0)] = (ioctl.long(atWord: 2), ioctl.long(atWord: 6))
        case Number.setVringCall: calls[ioctl.word(0)] = ioctl.word(1)
        default: break
        }
    }

    private func note(_ message: Message) {
        switch message.kind {
        case 2:
            acknowledgedWhenMapped = acknowledgedWhenMapped ?? acknowledged
            updates.append(message)
        case 3 where message.size == 0: updates = []
        case 3: updates.removeAll { $0.touches(message) }
        case 5: isInBatch = true
        case 6: isInBatch = false
        default: break
        }
    }
}

/// The requests that breaks look at, by number.
enum Number {
    static let setOwner: UInt = 0xaf01
    static let resetOwner: UInt = 0xaf02
    static let setFeatures: UInt = 0x4008_af00
    static let setLogBase: UInt = 0x4008_af04
    static let setVringNum: UInt = 0x4008_af10
    static let setVringAddr: UInt = 0x4028_af11
    static let setVringBase: UInt = 0x4008_af12
    static let getVringBase: UInt = 0xc008_af12
    static let setVringKick: UInt = 0x4008_af20
    static let setVringCall: UInt = 0x4008_af21
    static let setBackendFeatures: UInt = 0x4008_af25
    static let getBackendFeatures: UInt = 0x8008_af26
    static let setStatus: UInt = 0x4001_af72
    static let getConfig: UInt = 0x8008_af73
    static let setVringEnable: UInt = 0x4008_af75
    static let setConfigCall: UInt = 0x4004_af77
    static let getVqsCount: UInt = 0x8004_af80
    static let getVringGroup: UInt = 0xc008_af7b
    static let setGroupASID: UInt = 0x4008_af7c
    static let suspend: UInt = 0xaf7d
    static let resume: UInt = 0xaf7e
    static let getVringSize: UInt = 0xc008_af82
    static let unknown: UInt = 0x4008_afee
}
