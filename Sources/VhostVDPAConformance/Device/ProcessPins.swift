internal import SystemPackage

/// The pinned pages of this process as the kernel counts them.
package enum ProcessPins {
    /// VmPin of /proc/self/status in bytes.
    package static func bytes() -> UInt64? {
        guard
            let file = try? FileDescriptor.open(
                FilePath("/proc/self/status"), .readOnly, retryOnInterrupt: false)
        else { return nil }
        defer { try? file.close() }
        var text = [UInt8](repeating: 0, count: 8192)
        guard
            let count = try? unsafe text.withUnsafeMutableBytes({
                try unsafe file.read(into: $0, retryOnInterrupt: false)
            })
        else { return nil }
        for line in String(decoding: text[..<count], as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("VmPin:") {
            return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { UInt64($0) }
                .map { $0 << 10 }
        }
        return nil
    }
}
