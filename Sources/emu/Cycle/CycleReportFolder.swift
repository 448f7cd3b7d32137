internal import CycleBenchmark
internal import Glibc
internal import SystemPackage

/// Where `--report` puts its page, its picture and its raw data.
///
/// Each file is written aside, and all are renamed once all of them are whole, the page last. Whatever ends the process, a
/// file is whole, an earlier one or the new one, and a new page stands beside data and a picture as new. Between the first
/// rename and the last an earlier page stands beside newer data: the files are renamed one after the other.
struct CycleReportFolder {
    let path: FilePath

    /// The page's file.
    static let pageName = "index.html"
    static let probeName = "probe"
    /// In the order in which they are put in place.
    static let names = [CyclePage.dataName, CyclePage.pictureName, pageName]

    /// Why a file could not be written.
    struct Failure: Error, CustomStringConvertible {
        let name: String
        let errno: Errno

        var description: String {
            switch errno {
            case .noSpace: "\(name): \(errno); free some space or name another folder"
            case .fileTooLarge: "\(name): \(errno); raise the limit of a file's size (ulimit -f)"
            case .fileExists:
                "\(name): \(errno) (another process writes it there); name another folder"
            default: "\(name): \(errno); name a folder you can write to"
            }
        }
    }

    /// Makes the folder, or takes one that is there, and leaves what is in it alone. Before anything is measured, so
    /// that nothing is lost to a folder that cannot be written to.
    init(path: String) throws(StartError) {
        guard !path.isEmpty else { throw StartError("--report '': name a folder") }
        self.path = FilePath(path)
        do {
            try probe()
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw Self.refusal(path, error) }
            try make()
        }
        for name in Self.names where Self.isFolder(self.path.appending(name)) {
            throw StartError("--report \(path): \(name) is a folder there; name another folder")
        }
        for name in Self.names where Self.isStandardOutput(self.path.appending(name)) {
            throw StartError(
                "--report \(path): standard output goes to \(name) there, which the report replaces; name another folder"
            )
        }
    }

    private func make() throws(StartError) {
        guard unsafe mkdir(path.string, 0o777) == 0 else {
            throw StartError(
                "--report \(path): the folder cannot be made: \(Errno(rawValue: errno)); name one in a folder that is there"
            )
        }
        do {
            try probe()
        } catch {
            throw Self.refusal(path.string, error)
        }
    }

    private static func refusal(_ path: String, _ failure: Failure) -> StartError {
        StartError(
            "--report \(path): no file can be made there: \(failure.errno); name a folder you can write to")
    }

    /// Writes its files in place of earlier ones, none before all are whole. Where one cannot be put in place, those
    /// before it are, and the page is the earlier one.
    func write(_ outcome: CycleOutcome) throws(Failure) {
        let page = CyclePage(outcome)
        let texts = [CycleCSV.text(outcome), page.picture, page.html]
        var aside: [FilePath] = []
        defer { for file in aside { _ = unsafe unlink(file.string) } }
        for (name, text) in zip(Self.names, texts) {
            let file = self.aside(name)
            let descriptor = try create(file, named: name)
            // What could not be made is not this process's to take away.
            aside.append(file)
            try write(text, to: descriptor, named: name)
        }
        for name in Self.names {
            guard unsafe rename(self.aside(name).string, path.appending(name).string) == 0 else {
                throw Failure(name: name, errno: Errno(rawValue: errno))
            }
        }
    }

    /// Takes away what processes that are gone have left aside, makes a file and takes it away too.
    private func probe() throws(Failure) {
        removeLeftovers()
        let file = aside(Self.probeName)
        let descriptor = try create(file, named: Self.probeName)
        defer { _ = unsafe unlink(file.string) }
        try write("", to: descriptor, named: Self.probeName)
    }

    /// Makes a file that is not there.
    private func create(_ file: FilePath, named name: String) throws(Failure) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                file, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead], retryOnInterrupt: false)
        } catch {
            throw Failure(name: name, errno: error as? Errno ?? .ioError)
        }
    }

    /// Writes `text` and closes the file.
    private func write(_ text: String, to descriptor: FileDescriptor, named name: String) throws(Failure) {
        do {
            try descriptor.closeAfter { try descriptor.writeWhole(Array(text.utf8)) }
        } catch {
            throw Failure(name: name, errno: error as? Errno ?? .ioError)
        }
    }

    private static func isStandardOutput(_ path: FilePath) -> Bool {
        guard let file = try? Stat(path, retryOnInterrupt: false),
            let output = try? Stat(FileDescriptor.standardOutput, retryOnInterrupt: false)
        else { return false }
        return file.deviceID == output.deviceID && file.inode == output.inode
    }

    private static func isFolder(_ path: FilePath) -> Bool {
        (try? Stat(path, retryOnInterrupt: false))?.type == .directory
    }
}
