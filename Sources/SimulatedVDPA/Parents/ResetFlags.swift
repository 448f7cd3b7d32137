/// What `compat_reset` is asked for on top of a reset.
package struct ResetFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let cleanMap = Self(rawValue: 1)  // VDPA_RESET_F_CLEAN_MAP
}
