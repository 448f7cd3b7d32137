internal import CLinux

/// What a call's argument points at, read as the kernel reads it: an address that is none costs an answer, no crash.
enum CallerBytes {
    /// The bytes at `address`, up to the first that cannot be read.
    static func readable(_ byteCount: Int, at address: UInt) -> [UInt8] {
        guard byteCount > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            count = max(0, unsafe clinux_process_memory_read(buffer.baseAddress, address, byteCount))
        }
    }
}
