internal import SystemPackage

/// The request numbers of `linux/vhost.h` on x86-64, written down here a second time on purpose: the device under
/// test takes its own from the kernel's headers.
package enum Request {
    package static let getFeatures: UInt = 0x8008_af00
    package static let setFeatures: UInt = 0x4008_af00
    package static let setOwner: UInt = 0xaf01
    package static let resetOwner: UInt = 0xaf02
    package static let setMemTable: UInt = 0x4008_af03
    package static let setLogBase: UInt = 0x4008_af04
    package static let setLogFD: UInt = 0x4004_af07
    package static let setVringNum: UInt = 0x4008_af10
    package static let setVringAddr: UInt = 0x4028_af11
    package static let setVringBase: UInt = 0x4008_af12
    package static let getVringBase: UInt = 0xc008_af12
    package static let setVringKick: UInt = 0x4008_af20
    package static let setVringCall: UInt = 0x4008_af21
    package static let setVringErr: UInt = 0x4008_af22
    package static let setBackendFeatures: UInt = 0x4008_af25
    package static let getBackendFeatures: UInt = 0x8008_af26
    package static let getDeviceID: UInt = 0x8004_af70
    package static let getStatus: UInt = 0x8001_af71
    package static let setStatus: UInt = 0x4001_af72
    package static let getConfig: UInt = 0x8008_af73
    package static let setConfig: UInt = 0x4008_af74
    package static let setVringEnable: UInt = 0x4008_af75
    package static let getVringNum: UInt = 0x8002_af76
    package static let setConfigCall: UInt = 0x4004_af77
    package static let getIOVARange: UInt = 0x8010_af78
    package static let getConfigSize: UInt = 0x8004_af79
    package static let getASNum: UInt = 0x8004_af7a
    package static let getVringGroup: UInt = 0xc008_af7b
    package static let setGroupASID: UInt = 0x4008_af7c
    package static let suspend: UInt = 0xaf7d
    package static let resume: UInt = 0xaf7e
    package static let getVringDescGroup: UInt = 0xc008_af7f
    package static let getVqsCount: UInt = 0x8004_af80
    package static let getGroupNum: UInt = 0x8004_af81
    package static let getVringSize: UInt = 0xc008_af82
    /// A vring request that no kernel has.
    package static let unknown: UInt = 0x4008_afee
}

/// The bits of the backend features (`VHOST_BACKEND_F_*`).
package enum BackendBit {
    package static let batch = 2
    package static let addressSpaces = 3
    package static let suspend = 4
    package static let resume = 5
    package static let enableAfterDriverOK = 6
    package static let descriptorSpace = 7
    package static let persist = 8
}

/// The errnos that swift-system has no name for, or another one.
extension Errno {
    static let unknownRequest = Errno(rawValue: 25)  // ENOTTY
    static let operationNotSupported = Errno(rawValue: 95)  // EOPNOTSUPP
    static let kernelNotSupported = Errno(rawValue: 524)  // ENOTSUPP, the kernel's own
}
