internal import SystemPackage

/// Small files of `/proc`.
enum ProcText {
    /// The text of a file of less than a page or two; empty where it cannot be read.
    static func contents(_ path: String) -> String {
        guard
            let file = try? FileDescriptor.open(
                FilePath(path), .readOnly, options: .closeOnExec, retryOnInterrupt: false)
        else { return "" }
        defer { try? file.close() }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 8192) { buffer, count in
            count = unsafe (try? file.read(into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
