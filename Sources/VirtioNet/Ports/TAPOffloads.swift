import CLinux

/// Work a TAP's reader accepts unfinished, said in the frame's ``NetworkHeader``: `TUN_F_*`.
package struct TAPOffloads: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Checksums may be missing.
    package static let checksum = TAPOffloads(rawValue: UInt32(clinux_tun_f_csum))
    /// TCP over IPv4 may come unsegmented; takes `checksum`.
    package static let tcp4 = TAPOffloads(rawValue: UInt32(clinux_tun_f_tso4))
    /// TCP over IPv6 may come unsegmented; takes `checksum`.
    package static let tcp6 = TAPOffloads(rawValue: UInt32(clinux_tun_f_tso6))
}
