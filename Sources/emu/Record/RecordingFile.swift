internal import Glibc
internal import SystemPackage

/// The file that a recording goes to: a regular file, a pipe, or a device that takes whatever it is given, as /dev/null does.
///
/// No other is opened, since opening it may set something off: a vhost-vdpa device is reset by it. What is in the file goes
/// with the first line and not before. Each line is written when its call is over, so that what a process has done is there
/// however it ends. After a write that failed nothing more is written, and a regular file ends with its last whole line.
final class RecordingFile {
    private let path: FilePath
    private let option: String
    private let file: FileDescriptor
    private let isRegular: Bool
    /// Whether there was no file of the name.
    private let wasMade: Bool
    /// What whole lines have taken.
    private var byteCount = 0
    /// Why lines are missing.
    private var failure: Errno?
    private var isClosed = false

    /// Opens the file, or makes it, and leaves what is in it. Does not wait for a pipe's reader.
    ///
    /// `option` names it on the command line, and `what` says what it is.
    init(path: String, option: String = "--record", what: String = "recording") throws(StartError) {
        guard !path.isEmpty, path != "-" else {
            throw StartError(
                "\(option) '\(path)': a \(what) does not go to standard output, which has the result; name a file, or a"
                    + " pipe (mkfifo)")
        }
        self.path = FilePath(path)
        self.option = option
        let kind = try Self.kind(at: self.path, option)
        wasMade = kind == nil
        isRegular = kind == nil || kind == .regular
        file = try Self.open(self.path, making: wasMade, option)
        do throws(StartError) {
            try take()
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    /// Writes a line, whole.
    func write(_ line: String) {
        guard failure == nil, !isClosed else { return }
        if byteCount == 0, isRegular { note(ftruncate(file.rawValue, 0)) }
        guard failure == nil else { return }
        let bytes = Array((line + "\n").utf8)
        do throws(Errno) {
            try file.writeWhole(bytes)
            byteCount += bytes.count
        } catch {
            failure = error
            // A line that is half there is none.
            if isRegular { _ = ftruncate(file.rawValue, off_t(byteCount)) }
        }
    }

    /// Closes the file, which some file systems answer with what became of earlier writes. Why lines are missing, or `nil`.
    /// A file that was made for nothing goes.
    @discardableResult
    func close() -> Errno? {
        guard !isClosed else { return failure }
        isClosed = true
        if wasMade, byteCount == 0 { _ = unsafe unlink(path.string) }
        note(Glibc.close(file.rawValue))
        return failure
    }

    private func note(_ result: CInt) {
        // The descriptor is gone either way where a close was interrupted (close(2)).
        if result != 0, failure == nil, errno != EINTR { failure = Errno(rawValue: errno) }
    }

    // MARK: Opening

    /// The devices that take whatever they are given, or refuse it at once: null, zero and full (Linux's devices.txt).
    private static let sinks = ["/dev/null", "/dev/zero", "/dev/full"]

    /// What there is at `path`, or `nil`. Throws where it is nothing that a recording is written to.
    private static func kind(at path: FilePath, _ option: String) throws(StartError) -> FileType? {
        let information: Stat
        do {
            information = try Stat(path, retryOnInterrupt: false)
        } catch {
            guard error != .noSuchFileOrDirectory else { return nil }
            throw refused(path, option, "it cannot be looked at: \(error); name a file that you can write to")
        }
        switch information.type {
        case .regular, .fifo: return information.type
        case .directory: throw refused(path, option, "it is a folder; name a file in it")
        case .characterSpecial where sinks.contains(path.string): return .characterSpecial
        default:
            throw refused(
                path, option, "it is no file that can be written to; name a regular file, a pipe or /dev/null"
            )
        }
    }

    private static func open(_ path: FilePath, making: Bool, _ option: String) throws(StartError)
        -> FileDescriptor
    {
        let options: FileDescriptor.OpenOptions = [.nonBlocking, .closeOnExec]
        do {
            return try FileDescriptor.open(
                path, .writeOnly, options: making ? options.union([.create, .exclusiveCreate]) : options,
                permissions: making ? [.ownerReadWrite, .groupRead, .otherRead] : nil)
        } catch {
            switch error as? Errno ?? .ioError {
            case .noSuchAddressOrDevice:
                throw refused(path, option, "nobody reads this pipe; start its reader first")
            case .noSuchFileOrDirectory:
                throw refused(path, option, "there is no folder for it; name one that is there")
            case let errno: throw refused(path, option, "\(errno); name a file that you can write to")
            }
        }
    }

    /// Sees that nobody else writes to the file: what the process itself says would stand among the lines.
    private func take() throws(StartError) {
        guard let own = try? Stat(file, retryOnInterrupt: false), own.type != .characterSpecial else {
            return
        }
        for (stream, name) in [
            (FileDescriptor.standardOutput, "standard output"), (.standardError, "standard error"),
        ] {
            guard let other = try? Stat(stream, retryOnInterrupt: false) else { continue }
            if other.deviceID == own.deviceID, other.inode == own.inode {
                throw Self.refused(path, option, "\(name) goes there; name another file, or a pipe (mkfifo)")
            }
        }
        if flock(file.rawValue, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            throw Self.refused(path, option, "another recording writes to this file; name another")
        }
    }

    private static func refused(_ path: FilePath, _ option: String, _ reason: String) -> StartError {
        StartError("\(option) \(path): \(reason)")
    }
}
