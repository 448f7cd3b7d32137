internal import SystemPackage

/// What the kernel says of itself in files.
enum KernelText {
    /// The lowest `max_iotlb_entries` of the modules loaded; `nil` where none shows it.
    static var entryLimit: Int? {
        ["vhost_vdpa", "vdpa_sim"].compactMap { module in
            firstWord("/sys/module/\(module)/parameters/max_iotlb_entries").flatMap { Int($0) }
        }.filter { $0 > 0 }.min()
    }

    /// The first word of a file of the kernel's.
    static func firstWord(_ path: String) -> String? {
        guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, retryOnInterrupt: false) else {
            return nil
        }
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: 256)
        guard
            let count = try? unsafe bytes.withUnsafeMutableBytes({
                try unsafe file.read(into: $0, retryOnInterrupt: false)
            })
        else {
            return nil
        }
        return String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isWhitespace).first
            .map(String.init)
    }
}
