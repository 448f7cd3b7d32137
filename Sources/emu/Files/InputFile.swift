internal import SystemPackage

/// A file that a command line names, or one below a folder that it names.
struct InputFile {
    let path: FilePath

    /// Why there is nothing to read.
    enum Failure: Error, Hashable, CustomStringConvertible {
        case refused(Errno)
        case tooLarge

        var description: String {
            switch self {
            case .refused(let errno): "\(errno)"
            case .tooLarge: "it has more than \(InputFile.limit >> 20) MiB"
            }
        }
    }

    /// More than any result of ours has, and little enough to be held.
    static let limit = 64 << 20

    /// Reads all of it; a pipe until its writer closes it.
    func bytes() throws(Failure) -> [UInt8] {
        do {
            let file = try Self.open(path)
            return try file.closeAfter { try Self.whole(file) }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .refused(error as? Errno ?? .ioError)
        }
    }

    /// Opens the file. Given up where it is interrupted every time.
    static func open(_ path: FilePath, options: FileDescriptor.OpenOptions = []) throws -> FileDescriptor {
        for _ in 0..<interruptionLimit {
            do {
                return try FileDescriptor.open(
                    path, .readOnly, options: options.union(.closeOnExec), retryOnInterrupt: false)
            } catch Errno.interrupted {}
        }
        throw Errno.interrupted
    }

    private static func whole(_ file: FileDescriptor) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var interruptions = 0
        while true {
            let count: Int
            do {
                count = try unsafe chunk.withUnsafeMutableBytes {
                    try unsafe file.read(into: $0, retryOnInterrupt: false)
                }
            } catch Errno.interrupted where interruptions < interruptionLimit {
                interruptions += 1
                continue
            }
            guard count > 0 else { return bytes }
            guard bytes.count + count <= limit else { throw Failure.tooLarge }
            bytes += chunk[..<count]
            interruptions = 0
        }
    }

    /// How often in a row a read may be interrupted: who is interrupted every time is under an injected fault.
    private static let interruptionLimit = 1000
}
