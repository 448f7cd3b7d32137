internal import SystemPackage

/// A result that could not be written: where to, why, and what the caller can do about it.
struct LostResult: Hashable, Sendable, CustomStringConvertible {
    let stream: String
    let error: Errno

    var description: String { "the result could not be written to \(stream): \(reason)" }

    private var reason: String {
        switch error {
        case .badFileDescriptor: "it is closed; give it a file, a pipe or /dev/null"
        case .brokenPipe: "its reader has ended; let the reader take all of it"
        case .noSpace: "no space is left there; make room, or write to another file system"
        case Errno(rawValue: 122): "the disk quota is used up; make room, or write to another file system"
        case .fileTooLarge: "the file would be larger than allowed; raise 'ulimit -f'"
        case .interrupted, .wouldBlock:
            "write is refused every time (\(error)); is a fault injected, or a security policy in force?"
        default: "\(error); write to another file"
        }
    }
}
