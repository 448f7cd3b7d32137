package import SystemPackage

/// The kernel's text files, of /proc and /sys.
package enum KernelText {
    /// A file's text without the line breaks at its end; `nil` where it cannot be read. No such file says its size, so
    /// it is read until it ends.
    package static func of(_ path: FilePath) -> String? {
        guard
            let file = try? FileDescriptor.open(
                path, .readOnly, options: .closeOnExec, retryOnInterrupt: false)
        else { return nil }
        defer { try? file.close() }
        var text: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 8192)
        while let count = try? unsafe part.withUnsafeMutableBytes({
            try unsafe file.read(into: $0, retryOnInterrupt: false)
        }) {
            guard count > 0 else {
                while text.last == UInt8(ascii: "\n") { text.removeLast() }
                return String(decoding: text, as: UTF8.self)
            }
            text += part[..<count]
        }
        return nil
    }

    /// The first word of a file; `nil` where it cannot be read or is empty.
    package static func firstWord(_ path: FilePath) -> String? {
        of(path)?.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }

    /// What stands behind `name` and a colon, in the first line that begins with it.
    package static func field(_ name: String, in text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            let rest = line.dropFirst(name.count).drop(while: isBlank)
            guard rest.first == ":" else { continue }
            return String(rest.dropFirst().drop(while: isBlank))
        }
        return nil
    }

    /// The number behind `name` and a colon.
    package static func number(_ name: String, in text: String) -> UInt64? {
        field(name, in: text).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }

    private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
}
