internal import SystemPackage

/// The request numbers of `linux/vhost.h` on x86-64, written down here a second time on purpose: the device under
/// test takes its own from the kernel's headers.
enum Request {
    static let getFeatures: UInt = 0x8008_af00
    static let setFeatures: UInt = 0x4008_af00
    static let setOwner: UInt = 0xaf01
    static let resetOwner: UInt = 0xaf02
    static let setLogBase: UInt = 0x4008_af04
    static let setVringNum: UInt = 0x4008_af10
    static let setVringAddr: UInt = 0x4028_af11
    static let setVringBase: UInt = 0x4008_af12
    static let getVringBase: UInt = 0xc008_af12
    static let setVringKick: UInt = 0x4008_af20
    static let setVringCall: UInt = 0x4008_af21
    static let setVringErr: UInt = 0x4008_af22
    static let setBackendFeatures: UInt = 0x4008_af25
    static let getBackendFeatures: UInt = 0x8008_af26
    static let getDeviceID: UInt = 0x8004_af70
    static let getStatus: UInt = 0x8001_af71
    static let setStatus: UInt = 0x4001_af72
    static let getConfig: UInt = 0x8008_af73
    static let setVringEnable: UInt = 0x4008_af75
    static let getVringNum: UInt = 0x8002_af76
    static let setConfigCall: UInt = 0x4004_af77
    static let getIOVARange: UInt = 0x8010_af78
    static let getConfigSize: UInt = 0x8004_af79
    static let getASNum: UInt = 0x8004_af7a
    static let getVringGroup: UInt = 0xc008_af7b
    static let setGroupASID: UInt = 0x4008_af7c
    static let suspend: UInt = 0xaf7d
    static let resume: UInt = 0xaf7e
    static let getVringDescGroup: UInt = 0xc008_af7f
    static let getVqsCount: UInt = 0x8004_af80
    static let getGroupNum: UInt = 0x8004_af81
    static let getVringSize: UInt = 0xc008_af82
    /// A vring request that no kernel has.
    static let unknown: UInt = 0x4008_afee
}

/// The bits of the backend features (`VHOST_BACKEND_F_*`).
enum BackendBit {
    static let batch = 2
    static let addressSpaces = 3
    static let suspend = 4
    static let resume = 5
    static let enableAfterDriverOK = 6
    static let descriptorSpace = 7
    static let persist = 8
}

/// The errnos that swift-system has no name for, or another one.
extension Errno {
    static let unknownRequest = Errno(rawValue: 25)  // ENOTTY
    static let operationNotSupported = Errno(rawValue: 95)  // EOPNOTSUPP
    static let kernelNotSupported = Errno(rawValue: 524)  // ENOTSUPP, the kernel's own
}
