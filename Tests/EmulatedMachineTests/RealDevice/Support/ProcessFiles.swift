import Glibc
import SystemPackage
import TestSupport

/// What the kernel keeps of this process.
enum ProcessFiles {
    /// Every open descriptor's file, by number; the one that lists them is not among them.
    static func openDescriptors() throws -> [Int32: String] {
        var files: [Int32: String] = [:]
        try forEachNumber(in: "/proc/self/fd") { number, own in
            guard number != own else { return }
            var target = [CChar](repeating: 0, count: 256)
            let count = unsafe readlink("/proc/self/fd/\(number)", &target, 255)
            files[number] = String(
                decoding: target.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        return files
    }

    /// The open descriptors once the guest's workers of earlier machines have ended: a machine that is closed tells them to,
    /// and a worker lets go of its ring and its event descriptors before its thread is gone.
    static func settledDescriptors() throws -> [Int32: String] {
        guard eventually({ (try? guestWorkers()) == 0 }) else { throw Errno.timedOut }
        return try openDescriptors()
    }

    private static func guestWorkers() throws -> Int {
        var count = 0
        try forEachNumber(in: "/proc/self/task") { thread, _ in
            // A thread that has ended since it was listed has no name any more.
            guard let name = try? text(of: FilePath("/proc/self/task/\(thread)/comm")) else { return }
            if name.hasPrefix("guest") { count += 1 }
        }
        return count
    }

    /// Calls `body` with each number that names an entry of `folder`, and with the descriptor that lists them.
    private static func forEachNumber(in folder: String, _ body: (Int32, Int32) -> Void) throws {
        guard let entries = unsafe opendir(folder) else { throw Errno(rawValue: errno) }
        defer { unsafe closedir(entries) }
        while let entry = unsafe readdir(entries) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = Int32(name) { body(number, unsafe dirfd(entries)) }
        }
    }

    /// The whole text of a file of the kernel's.
    static func text(of path: FilePath) throws -> String {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        defer { try? file.close() }
        let bytes = try unsafe [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
            count = try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The physical address behind a virtual one that is present. Root only; else the kernel answers 0.
    static func physicalAddress(of address: UInt64) throws -> UInt64 {
        let file = try FileDescriptor.open(FilePath("/proc/self/pagemap"), .readOnly, options: .closeOnExec)
        defer { try? file.close() }
        var entry: UInt64 = 0
        let count = try unsafe withUnsafeMutableBytes(of: &entry) { buffer in
            try unsafe file.read(fromAbsoluteOffset: Int64(address / 4096 * 8), into: buffer)
        }
        // Documentation/admin-guide/mm/pagemap.rst: bit 63 present, bits 0–54 the page frame.
        guard count == 8, entry >> 63 == 1, entry & (1 << 55 - 1) != 0 else { throw Errno.badAddress }
        return (entry & (1 << 55 - 1)) * 4096 + address % 4096
    }

    /// Runs `body` with a soft RLIMIT_MEMLOCK of `limit` bytes, `nil` for none, and restores the old one.
    static func withLockedMemoryLimit<Result>(_ limit: UInt?, _ body: () throws -> Result) throws -> Result {
        let resource = __rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue)
        var old = rlimit()
        guard unsafe getrlimit(resource, &old) == 0 else { throw Errno(rawValue: errno) }
        let value = limit ?? .max
        var new = rlimit(rlim_cur: value, rlim_max: max(old.rlim_max, value))
        guard unsafe setrlimit(resource, &new) == 0 else { throw Errno(rawValue: errno) }
        defer { _ = unsafe setrlimit(resource, &old) }
        return try body()
    }
}
