import Glibc
import SystemPackage
import Testing

@testable import IOUring

/// A ring of a size that tests can fill. The kernel lets this process use io_uring, or every test says why not.
func makeRing(
    submissions: Int = 32, completions: Int = 64, options: SetupOptions = .preferred
) throws -> IOUring {
    try IOUring(submissionEntries: submissions, completionEntries: completions, options: options)
}

extension IOUring {
    /// Waits for `count` completions and takes them.
    mutating func collect(_ count: Int) throws -> [Completion] {
        try submitAndWait(count: count)
        var completions: [Completion] = []
        forEachCompletion { completions.append($0) }
        return completions
    }
}

/// A pipe or a socket pair whose ends close when the value goes away.
struct Channel: ~Copyable {
    let reader: FileDescriptor
    let writer: FileDescriptor

    init() throws {
        (reader, writer) = try FileDescriptor.pipe()
    }

    deinit {
        try? reader.close()
        try? writer.close()
    }
}

/// Bytes on the heap with an address that lasts until the value goes away.
@safe
struct Memory: ~Copyable {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ contents: [UInt8]) {
        unsafe bytes = .allocate(byteCount: contents.count, alignment: 16)
        unsafe bytes.copyBytes(from: contents)
    }

    init(count: Int) {
        self.init(Array(repeating: 0, count: count))
    }

    deinit {
        unsafe bytes.deallocate()
    }

    var contents: [UInt8] { unsafe Array(bytes) }

    /// The part `range` as a vector.
    func vector(_ range: Range<Int>) -> iovec {
        unsafe iovec(iov_base: bytes.baseAddress.map { unsafe $0 + range.lowerBound }, iov_len: range.count)
    }
}

/// Expects that the submission queue took a request. `#expect` cannot hold a noncopyable ring.
func expectQueued(_ accepted: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(accepted, "the submission queue is full", sourceLocation: sourceLocation)
}

/// Expects that the submission queue was full.
func expectRefused(_ accepted: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(!accepted, "the submission queue took one too many", sourceLocation: sourceLocation)
}

/// An open file without a name.
func temporaryFile() throws -> FileDescriptor {
    let path = "/tmp/emu-test-\(UInt64.random(in: .min ... .max))"
    let file = try FileDescriptor.open(
        FilePath(path), .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
    unsafe unlink(path)
    return file
}
