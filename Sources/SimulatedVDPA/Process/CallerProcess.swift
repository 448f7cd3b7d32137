internal import CLinux
internal import GuestMemory
internal import LinuxHost
package import SystemPackage

/// The process whose memory, descriptors and limits a system call on a simulated device means: this one, or another that
/// this process may trace.
///
/// Nothing of another process is used as if it were ours: its addresses are numbers, its memory is copied or mapped a
/// second time, its descriptors are duplicated.
package struct CallerProcess: Hashable, Sendable {
    /// This process.
    package static let this = CallerProcess(thread: nil)

    /// A thread of it; `nil` for this process.
    private let thread: Int32?

    private init(thread: Int32?) { self.thread = thread }

    /// The process that has the thread of this number.
    package init(thread: Int32) { self.thread = thread }

    /// Whether it is another process.
    package var isForeign: Bool { thread != nil }

    var memory: CallerMemory { CallerMemory(thread: thread) }

    /// Its files of `/proc`.
    package var folder: String { thread.map { "/proc/\($0)" } ?? "/proc/self" }

    // MARK: Memory

    /// Copies `count` bytes of its memory: EFAULT unless all of them are readable.
    package func copy(at address: UInt, count: Int) throws(Errno) -> [UInt8] {
        try memory.bytes(at: address, count: count)
    }

    /// Copies `bytes` to its memory: EFAULT unless all of them may be written.
    package func store(_ bytes: [UInt8], at address: UInt) throws(Errno) {
        try memory.store(bytes: bytes, at: address)
    }

    /// The word of 64 bits at `address` of its memory.
    package func word(at address: UInt) throws(Errno) -> UInt64 { try memory.load(UInt64.self, at: address) }

    /// The areas of `range` and the next one above it, as they are now.
    package func mappings(_ range: Range<UInt64>) throws(Errno) -> ProcessMappings {
        try ProcessMappings.current(range, in: FilePath("\(folder)/maps"))
    }

    /// Maps `pages`, which are in `area`, a second time; `nil` where that cannot be: private memory, or a file of another
    /// process that nobody can open any more. What another process takes from the file is counted in `vanished`.
    func window(
        on pages: Range<UInt64>, of area: ProcessMapping, vanished: VanishedPages? = nil
    ) -> MemoryWindow? {
        guard area.isShared else { return nil }
        guard isForeign else { return MemoryWindow(pages) }
        guard let file = area.file else { return nil }
        for isOnSameDevice in [true, false] {
            let made = withFile(file, area, isOnSameDevice: isOnSameDevice) { descriptor in
                MemoryWindow(
                    pages, ofFile: descriptor, offset: file.offset + (pages.lowerBound - area.start),
                    isWritable: area.isWritable, vanished: vanished
                ).flatMap { isOnSameDevice || $0.isOf(file) ? $0 : nil }
            }
            if let made { return made }
        }
        return nil
    }

    /// Stands for `pages` of another process, to be copied from and to; `nil` for this one, whose own mapping is as good.
    func copy(of pages: Range<UInt64>) -> CopiedMemory? {
        // A thread ends before its process.
        thread.flatMap { CopiedMemory(pages, of: max(clinux_leader($0), 0)) }
    }

    /// Lends the file of an area to `body`, until that answers: a duplicate of a descriptor that its process still has, else
    /// opened by the area, where this process may. What a descriptor is, is asked of /proc alone and of the duplicate: a
    /// file system that is asked by path may wait for this process.
    ///
    /// stat(2) of btrfs and overlayfs has another device number than /proc/PID/maps: without `isOnSameDevice` the inode's
    /// alone is compared, and there may be several.
    private func withFile(
        _ file: ProcessMapping.File, _ area: ProcessMapping, isOnSameDevice: Bool,
        _ body: (FileDescriptor) -> MemoryWindow?
    ) -> MemoryWindow? {
        for number in ProcessFiles.numbers(in: "\(folder)/fd")
        where ProcessFiles.inode(of: "\(folder)/fdinfo/\(number)") ?? file.inode == file.inode {
            guard let copy = try? duplicate(number) else { continue }
            defer { try? copy.close() }
            guard
                ProcessFiles.isRegular(
                    copy, file, isOnSameDevice: isOnSameDevice, isWritable: area.isWritable)
            else { continue }
            if let made = body(copy) { return made }
        }
        let mode: FileDescriptor.AccessMode = area.isWritable ? .readWrite : .readOnly
        let name = String(area.start, radix: 16) + "-" + String(area.end, radix: 16)
        let path = FilePath("\(folder)/map_files/\(name)")
        guard let opened = open(path, mode, file, isOnSameDevice: isOnSameDevice) else { return nil }
        defer { try? opened.close() }
        return body(opened)
    }

    /// Opens `path` where it is `file`. What it is, is asked before: an open of another thing may do something.
    private func open(
        _ path: FilePath, _ mode: FileDescriptor.AccessMode, _ file: ProcessMapping.File, isOnSameDevice: Bool
    ) -> FileDescriptor? {
        guard ProcessFiles.isRegular(path, file, isOnSameDevice: isOnSameDevice) else { return nil }
        return try? FileDescriptor.open(
            path, mode, options: [.closeOnExec, .nonBlocking], retryOnInterrupt: false)
    }

    // MARK: Descriptors and limits

    /// A duplicate of its descriptor `number`, which is the receiver's: EBADF where it has none.
    package func duplicate(_ number: Int32) throws(Errno) -> FileDescriptor {
        let answer = thread.map { clinux_duplicate_of($0, number) } ?? clinux_duplicate(number)
        guard answer >= 0 else { throw Errno(rawValue: -answer) }
        return FileDescriptor(rawValue: answer)
    }

    /// The soft RLIMIT_MEMLOCK in pages; no limit is more than any memory has.
    package var memlockPages: Int {
        var bytes: UInt64 = 0
        guard unsafe clinux_foreign_memlock_limit(thread ?? 0, &bytes) == 0 else { return 0 }
        return Int(clamping: bytes / UInt64(HostPage.byteCount))
    }
}
