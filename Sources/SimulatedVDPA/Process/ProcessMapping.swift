package import GuestMemory

/// One virtual memory area of a process: a line of `/proc/self/maps`.
package struct ProcessMapping: Hashable, Sendable {
    /// The file that an area is mapped of.
    package struct File: Hashable, Sendable {
        /// Major and minor number of the device, in the upper and the lower half.
        package let device: UInt64
        package let inode: UInt64
        /// Where in the file the area begins, in bytes.
        package let offset: UInt64

        package init(device: UInt64, inode: UInt64, offset: UInt64) {
            self.device = device
            self.inode = inode
            self.offset = offset
        }
    }

    /// The first address.
    package let start: UInt64
    /// The address after the last one.
    package let end: UInt64
    package let isReadable: Bool
    package let isWritable: Bool
    /// Mapped MAP_SHARED. The kernel backs every such area with a file, an anonymous one with shmem's.
    package let isShared: Bool
    /// `nil` for memory without one.
    package let file: File?

    package init(
        start: UInt64, end: UInt64, isReadable: Bool, isWritable: Bool, isShared: Bool, file: File? = nil
    ) {
        self.start = start
        self.end = end
        self.isReadable = isReadable
        self.isWritable = isWritable
        self.isShared = isShared
        self.file = file
    }
}

extension ProcessMapping {
    /// What this process may do with the area.
    package var access: MemoryAccess {
        var access: MemoryAccess = []
        if isReadable { access.insert(.read) }
        if isWritable { access.insert(.write) }
        return access
    }

    /// Reads every line of the form `7f00-7f10 rw-s 00000000 00:01 2048 /memfd:ram`; other lines are skipped.
    ///
    /// Works on bytes, since a process has hundreds of areas, thousands under a sanitizer.
    package static func parse(_ text: [UInt8]) -> [ProcessMapping] {
        var areas: [ProcessMapping] = []
        var position = 0
        while position < text.count {
            let end = text[position...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
            if let area = ProcessMapping(text, from: position, upTo: end) { areas.append(area) }
            position = end + 1
        }
        return areas
    }

    private init?(_ text: [UInt8], from lineStart: Int, upTo lineEnd: Int) {
        var position = lineStart
        func number(endingWith separator: Character) -> UInt64? {
            var value: UInt64 = 0
            let first = position
            while position < lineEnd, let digit = Self.hexadecimal(text[position]) {
                guard value < 1 << 60 else { return nil }
                value = value << 4 | UInt64(digit)
                position += 1
            }
            guard position > first, position < lineEnd, text[position] == separator.asciiValue else {
                return nil
            }
            position += 1
            return value
        }
        guard let start = number(endingWith: "-"), let end = number(endingWith: " "), start < end,
            position + 4 <= lineEnd
        else { return nil }
        self.start = start
        self.end = end
        isReadable = text[position] == UInt8(ascii: "r")
        isWritable = text[position + 1] == UInt8(ascii: "w")
        isShared = text[position + 3] == UInt8(ascii: "s")
        position += 5
        guard let offset = number(endingWith: " "), let major = number(endingWith: ":"),
            let minor = number(endingWith: " ")
        else {
            file = nil
            return
        }
        var inode: UInt64 = 0
        while position < lineEnd, case UInt8(ascii: "0")...UInt8(ascii: "9") = text[position] {
            inode = inode &* 10 &+ UInt64(text[position] - UInt8(ascii: "0"))
            position += 1
        }
        file = inode == 0 ? nil : File(device: major << 32 | minor, inode: inode, offset: offset)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
