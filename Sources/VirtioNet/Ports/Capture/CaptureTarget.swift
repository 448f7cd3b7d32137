internal import Glibc
internal import SystemPackage

/// Which file it is, whatever it is called.
struct FileIdentity: Hashable, Sendable {
    let device: UInt
    let inode: UInt

    init(_ information: stat) {
        device = UInt(information.st_dev)
        inode = UInt(information.st_ino)
    }

    /// The file at `path`; `nil` where nobody can say.
    init?(path: String) {
        var information = stat()
        guard unsafe stat(path, &information) == 0 else { return nil }
        self.init(information)
    }
}

/// The open file of a capture: a regular file, a pipe, or a device that takes whatever it is given, as /dev/null does.
///
/// No other is opened, since opening it may set something off: a vhost-vdpa device is reset by it. A pipe is written to
/// without waiting, in pieces that it takes whole or not at all, as far as a packet is no longer than those.
struct CaptureTarget: ~Copyable, Sendable {
    enum Kind: Sendable {
        case regular, pipe, sink
    }

    let kind: Kind
    let identity: FileIdentity
    /// Whether there was no file of the name.
    let wasMade: Bool
    private let path: String
    private let file: FileDescriptor
    private var isClosed: Bool

    /// Opens the file, or makes it, and leaves what is in it. Does not wait for a pipe's reader.
    ///
    /// - Throws: ``PortError/Code/capture`` where the file cannot be written to, another capture writes to it, nobody reads
    ///   the pipe, or it is of a kind that no capture is written to.
    init(path: String) throws(PortError) {
        let isThere = try Self.look(at: path)
        let descriptor = try Self.open(path, isThere: isThere)
        let taken: (kind: Kind, identity: FileIdentity)
        do throws(PortError) {
            taken = try Self.take(descriptor, path)
        } catch {
            _ = Glibc.close(descriptor.rawValue)
            if !isThere { _ = unsafe unlink(path) }
            throw error
        }
        kind = taken.kind
        identity = taken.identity
        wasMade = !isThere
        self.path = path
        file = descriptor
        isClosed = false
    }

    deinit { if !isClosed { _ = release() } }

    // MARK: Opening

    /// The devices that take whatever they are given, or refuse it at once: null, zero and full (Linux's devices.txt).
    private static let sinks: [UInt] = [0x103, 0x105, 0x107]

    /// Whether there is something at `path`, and that is what a capture is written to.
    private static func look(at path: String) throws(PortError) -> Bool {
        if path == "-" {
            throw .capture(
                path,
                "is no file: what emu itself says goes to standard output; name a file, or a pipe (mkfifo)",
                nil)
        }
        var information = stat()
        guard unsafe stat(path, &information) == 0 else {
            let error = Errno(rawValue: errno)
            if error == .noSuchFileOrDirectory { return false }
            throw .capture(path, "cannot be opened for writing", error)
        }
        _ = try kind(of: information, path)
        return true
    }

    /// The same of what is open now, as somebody may have put another there meanwhile; keeps other captures away.
    private static func take(
        _ file: FileDescriptor, _ path: String
    ) throws(PortError) -> (kind: Kind, identity: FileIdentity) {
        var information = stat()
        guard unsafe fstat(file.rawValue, &information) == 0 else {
            throw .capture(path, "cannot be written to", Errno(rawValue: errno))
        }
        let (kind, identity) = (try Self.kind(of: information, path), FileIdentity(information))
        if kind != .sink, let stream = standardStream(identity) {
            throw .capture(
                path,
                "is where \(stream) goes, which would be written into it: name another file, or a pipe (mkfifo)",
                nil)
        }
        try lock(file, kind, path)
        return (kind, identity)
    }

    /// What the process itself writes to this file: its result or its messages would stand among the packets.
    private static func standardStream(_ file: FileIdentity) -> String? {
        for (descriptor, name) in [(STDOUT_FILENO, "standard output"), (STDERR_FILENO, "standard error")] {
            var information = stat()
            if unsafe fstat(descriptor, &information) == 0, FileIdentity(information) == file { return name }
        }
        return nil
    }

    /// What a file is to a capture. Throws where it is none that a capture is written to.
    static func kind(of information: stat, _ path: String) throws(PortError) -> Kind {
        let name: String
        // The kinds of inode(7).
        switch information.st_mode & 0o170000 {
        case 0o100000: return .regular
        case 0o010000: return .pipe
        case 0o020000 where sinks.contains(UInt(information.st_rdev)): return .sink
        case 0o040000: throw .capture(path, "is a directory, name a file in it", .isDirectory)
        case 0o020000: name = "a character device"
        case 0o060000: name = "a block device"
        case 0o140000: name = "a socket"
        default: name = "no file that can be written to"
        }
        throw .capture(path, "is \(name): name a regular file, a pipe or /dev/null", nil)
    }

    private static func open(_ path: String, isThere: Bool) throws(PortError) -> FileDescriptor {
        let flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | (isThere ? 0 : O_CREAT | O_EXCL)
        let descriptor = again { unsafe Glibc.open(path, flags, 0o644) }
        guard descriptor < 0 else { return FileDescriptor(rawValue: descriptor) }
        let error = Errno(rawValue: errno)
        if isThere, error == .noSuchAddressOrDevice {
            throw .capture(path, "nobody reads this pipe: start its reader first", error)
        }
        throw .capture(path, "cannot be opened for writing", error)
    }

    /// Keeps this process's own other captures away too. A file system that has no locks has none to keep.
    private static func lock(_ file: FileDescriptor, _ kind: Kind, _ path: String) throws(PortError) {
        guard kind != .sink else { return }
        if flock(file.rawValue, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            throw .capture(path, "another capture writes to this file: name another", nil)
        }
    }

    // MARK: Writing

    /// How often in a row a call is made again that was refused for the moment.
    private static let attempts = 1000

    /// Empties a regular file; there is nothing to empty in another. Why it could not.
    func empty() -> Errno? { cut(to: 0) }

    /// Cuts a regular file. Why it could not.
    @discardableResult
    func cut(to byteCount: Int) -> Errno? {
        guard kind == .regular else { return nil }
        let result = Self.again { ftruncate(file.rawValue, off_t(byteCount)) }
        return result == 0 ? nil : Errno(rawValue: errno)
    }

    /// Writes all of `blocks`, and waits for room in a pipe until there is some or the capture is given up. How many bytes were
    /// written, and why not all.
    func write(
        _ blocks: UnsafeRawBufferPointer, for queue: CaptureQueue
    ) -> (count: Int, failure: CaptureFile.Failure?) {
        var count = 0
        // Where the piece ends that is being written.
        var end = 0
        var refusals = 0
        while count < blocks.count {
            if count == end {
                end += unsafe nextPiece(UnsafeRawBufferPointer(rebasing: blocks[count...]))
            }
            let piece = unsafe UnsafeRawBufferPointer(rebasing: blocks[count..<end])
            let result = unsafe Glibc.write(file.rawValue, piece.baseAddress, piece.count)
            if result > 0 {
                count += result
                refusals = 0
                let isAbandoned = queue.noteProgress()
                // A pipe's reader that is slow would keep it here; a disk is asked for one thing at a time.
                if isAbandoned, count == end, count < blocks.count { return (count, .behind) }
                continue
            }
            let error = result < 0 ? Errno(rawValue: errno) : .noSpace
            refusals += 1
            guard error == .interrupted || error == .wouldBlock, refusals <= Self.attempts else {
                return (count, .refused(error))
            }
            if error == .wouldBlock, !awaitRoom(for: queue) { return (count, .behind) }
        }
        return (count, nil)
    }

    /// How many bytes to write with one call: all of `rest`, which begins with a block, and to a pipe as many whole blocks as
    /// it takes whole or not at all (pipe(7), PIPE_BUF), or one that is longer.
    private func nextPiece(_ rest: UnsafeRawBufferPointer) -> Int {
        let limit = 4096
        guard kind == .pipe, rest.count > limit else { return rest.count }
        var byteCount = unsafe PcapngBlocks.wholeBlocks(of: rest, within: limit).bytes
        if byteCount == 0 { byteCount = unsafe PcapngBlocks.firstBlockByteCount(of: rest) }
        return min(byteCount, rest.count)
    }

    /// Waits until the pipe has room. `false` where the capture was given up.
    private func awaitRoom(for queue: CaptureQueue) -> Bool {
        while !queue.isAbandoned {
            var event = pollfd(fd: file.rawValue, events: Int16(POLLOUT), revents: 0)
            let count = unsafe poll(&event, 1, 20)
            if count > 0 { return true }
            // A poll that is refused must not turn into a spin.
            if count < 0 { usleep(1000) }
        }
        return false
    }

    /// Why what was written to a regular file, `byteCount` bytes that begin with `beginning`, is not there under its name;
    /// `nil` where it is. Others write to files, cut, remove and rename them as they like, and files of /proc keep nothing.
    func loss(of byteCount: Int, beginningWith beginning: [UInt8]) -> CaptureFile.Failure? {
        var information = stat()
        guard kind == .regular, unsafe fstat(file.rawValue, &information) == 0 else { return nil }
        if information.st_size != byteCount { return .changed }
        guard FileIdentity(path: path) == identity else {
            return information.st_nlink == 0 ? .removed : .moved
        }
        // A file that was cut and written to at the old place has the length, and zeros in front.
        let reader = unsafe Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard reader >= 0 else { return nil }
        defer { _ = Glibc.close(reader) }
        var bytes = [UInt8](repeating: 0, count: beginning.count)
        let count = unsafe pread(reader, &bytes, bytes.count, 0)
        return count < 0 || bytes == beginning ? nil : .changed
    }

    /// Closes the file, which some file systems answer with what became of earlier writes.
    mutating func close() -> Errno? {
        isClosed = true
        guard release() != 0 else { return nil }
        // The descriptor is gone either way (close(2)).
        let error = Errno(rawValue: errno)
        return error == .interrupted ? nil : error
    }

    /// Closes the file, and first takes its lock off: a child that was forked meanwhile has the file until it executes, and
    /// would keep the lock that long.
    private func release() -> CInt {
        _ = flock(file.rawValue, LOCK_UN)
        return Glibc.close(file.rawValue)
    }

    /// What `call` answers, made again while a signal interrupts it, though not for ever.
    private static func again(_ call: () -> CInt) -> CInt {
        for _ in 0..<attempts {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
        return call()
    }
}
