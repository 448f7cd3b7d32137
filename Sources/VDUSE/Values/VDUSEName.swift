/// What a VDUSE device is called: `vdpa dev add` names it, and its file is /dev/vduse/NAME.
package struct VDUSEName: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// The kernel keeps 255 bytes and a zero (VDUSE_NAME_MAX); a file name has no more either.
    package static let byteLimit = 255

    /// Takes letters, digits, `.`, `_` and `-`, not a leading `.` or `-`, and not `control`, which is the name of the
    /// file that devices are made with. `nil` for anything else.
    package init?(_ text: String) {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, !text.isEmpty, text.utf8.count <= Self.byteLimit, text != "control",
            !text.hasPrefix("."), !text.hasPrefix("-")
        else { return nil }
        description = text
    }
}
