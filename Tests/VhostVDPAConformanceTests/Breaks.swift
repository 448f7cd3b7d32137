import SystemPackage
import VhostVDPAConformance

/// The small breaks by which a rule is seen to be able to fail, by rule number.
enum Breaks {
    struct Case: Sendable, CustomStringConvertible {
        let rule: Int
        let what: String
        let specification: String
        let alteration: AlteredDevice.Break
        var description: String { "\(rule): \(what)" }
    }

    static let all: [Case] = [
        turned(2, 0xaf01, from: .resourceBusy, to: nil),
        turned(3, setVringNum, from: .notPermitted, to: nil),
        turned(4, setVringNum, from: .notPermitted, to: nil),
        message(5, 2, from: .badAddress, to: nil),
        turned(6, setVringNum, from: .noBufferSpace, to: .invalidArgument),
        turned(7, 0x4008_afee, from: Errno(rawValue: 25), to: .invalidArgument),
        turned(8, 0x4008_af04, from: Errno(rawValue: 25), to: nil),
        turned(9, 0xaf02, from: .badAddress, to: nil),
        turned(12, setBackendFeatures, from: unsupported, to: nil),
        turned(13, setBackendFeatures, from: nil, to: unsupported),
        turned(14, setBackendFeatures, from: .invalidArgument, to: unsupported),
        turned(15, setBackendFeatures, from: nil, to: unsupported),
        turned(16, setBackendFeatures, from: nil, to: .resourceBusy),
        turned(17, setFeatures, from: .invalidArgument, to: nil),
        turned(18, setFeatures, from: .resourceBusy, to: .badAddress),
        turned(19, setStatus, from: .invalidArgument, to: nil),
        turned(20, setStatus, from: nil, to: .invalidArgument),
        turned(21, 0x8008_af73, from: .invalidArgument, to: nil),
        turned(23, 0xc008_af7b, from: nil, to: .ioError),
        turned(24, 0xc008_af82, from: unsupported, to: nil),
        turned(25, setGroupASID, from: .noBufferSpace, to: .invalidArgument),
        turned(26, setGroupASID, from: nil, to: .resourceBusy),
        turned(26, setGroupASID, from: .resourceBusy, to: nil, on: "sim,kernel=7.2"),
        turned(27, setVringNum, from: .invalidArgument, to: nil),
        turned(28, 0x4028_af11, from: unsupported, to: .invalidArgument),
        turned(29, setVringBase, from: .invalidArgument, to: nil),
        turned(29, setVringBase, from: nil, to: .invalidArgument, on: "sim,kernel=6.1"),
        turned(30, setVringBase, from: .invalidArgument, to: nil),
        turned(31, setVringKick, from: .badFileDescriptor, to: .invalidArgument),
        turned(32, 0xaf7d, from: nil, to: unsupported),
        swallowed(33, "SUSPEND") { request, _ in request == 0xaf7d },
        swallowed(35, "unbinding a kick") { request, argument in
            request == setVringKick && word(argument, 1) == .max
        },
        Case(
            rule: 38, what: "doorbells are EPERM", specification: "sim",
            alteration: .init(mapErrno: .notPermitted)),
        Case(
            rule: 39, what: "a message answers its own length", specification: "sim",
            alteration: .init(write: { bytes, answer in answer.map { _ in bytes.count } })),
        message(40, 2, from: .invalidArgument, to: .badAddress),
        message(41, 7, from: .badAddress, to: nil),
        message(42, 6, from: .badAddress, to: nil),
        message(43, 6, from: nil, to: .badAddress),
        message(44, 2, from: .badAddress, to: nil),
        message(45, 2, from: .badAddress, to: nil),
        message(46, 2, from: .badAddress, to: nil),
        ignored(47, 3), message(48, 3, from: nil, to: .badAddress), ignored(49, 3),
        swallowed(50, "SET_BACKEND_FEATURES") { request, _ in request == setBackendFeatures },
        ignored(51, 5), ignored(52, 5), ignored(53, 5),
        message(55, 2, from: nil, to: .badAddress), message(56, 2, from: .badAddress, to: nil),
        message(57, 2, from: .badAddress, to: nil, on: "sim,use-va=off"),
        ignored(58, 3, on: "sim,use-va=off"),
        message(59, 2, from: .badAddress, to: nil, on: "sim,use-va=off"),
        message(60, 2, from: .badAddress, to: nil, on: "sim,use-va=off"),
        message(61, 2, from: .badAddress, to: nil),
        swallowed(62, "SET_BACKEND_FEATURES") { request, _ in request == setBackendFeatures },
        ignored(63, 3),
        swallowed(65, "SET_BACKEND_FEATURES") { request, _ in request == setBackendFeatures },
        swallowed(66, "SET_GROUP_ASID") { request, _ in request == setGroupASID },
        turned(69, 0x4004_af77, from: .badFileDescriptor, to: nil),
        swallowed(101, "switching a queue off") { request, argument in
            request == 0x4008_af75 && word(argument, 1) == 0
        },
    ]

    private static let setVringNum: UInt = 0x4008_af10
    private static let setVringBase: UInt = 0x4008_af12
    private static let setVringKick: UInt = 0x4008_af20
    private static let setFeatures: UInt = 0x4008_af00
    private static let setStatus: UInt = 0x4001_af72
    private static let setBackendFeatures: UInt = 0x4008_af25
    private static let setGroupASID: UInt = 0x4008_af7c
    private static let unsupported = Errno(rawValue: 95)

    /// The device's own errno (`nil` is success) to a request becomes another.
    private static func turned(
        _ rule: Int, _ request: UInt, from: Errno?, to: Errno?, on specification: String = "sim"
    ) -> Case {
        Case(
            rule: rule, what: "request 0x\(String(request, radix: 16))", specification: specification,
            alteration: .init(ioctl: { asked, _, answer in
                guard asked == request, errno(of: answer) == from else { return answer }
                return to.map { .failure($0) } ?? .success(0)
            }))
    }

    /// The same for a kind of message.
    private static func message(
        _ rule: Int, _ kind: UInt8, from: Errno?, to: Errno?, on specification: String = "sim"
    ) -> Case {
        Case(
            rule: rule, what: "message \(kind)", specification: specification,
            alteration: .init(write: { bytes, answer in
                guard bytes.count > 33, bytes[33] == kind, errno(of: answer) == from else { return answer }
                return to.map { .failure($0) } ?? .success(72)
            }))
    }

    /// A kind of message succeeds and does nothing.
    private static func ignored(_ rule: Int, _ kind: UInt8, on specification: String = "sim") -> Case {
        Case(
            rule: rule, what: "message \(kind) does nothing", specification: specification,
            alteration: .init(swallowsWrite: { $0.count > 33 && $0[33] == kind }))
    }

    /// Requests that succeed and do nothing.
    private static func swallowed(
        _ rule: Int, _ what: String, when: @escaping @Sendable (UInt, UInt) -> Bool
    ) -> Case {
        Case(
            rule: rule, what: "\(what) does nothing", specification: "sim",
            alteration: .init(swallowsIoctl: when))
    }

    private static func errno<Value>(of answer: Result<Value, Errno>) -> Errno? {
        if case .failure(let error) = answer { error } else { nil }
    }

    /// A word of the struct that a request's argument points to.
    private static func word(_ argument: UInt, _ index: Int) -> UInt32 {
        guard let pointer = unsafe UnsafeRawPointer(bitPattern: argument) else { return 0 }
        return unsafe pointer.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
    }
}
