internal import CycleBenchmark
internal import Glibc
internal import SystemPackage

/// Where `--report` puts its page, its picture and its raw data.
///
/// All files are written aside and renamed once all of them are whole: whatever ends the process, a folder has the
/// files of one benchmark.
struct CycleReportFolder {
    let path: FilePath

    /// The page's file.
    static let pageName = "index.html"
    private static let names = [CyclePage.dataName, CyclePage.pictureName, pageName]

    /// Why a file could not be written.
    struct Failure: Error, CustomStringConvertible {
        let name: String
        let errno: Errno

        var description: String {
            switch errno {
            case .noSpace: "\(name): \(errno); free some space or name another folder"
            case .fileTooLarge: "\(name): \(errno); raise the limit of a file's size (ulimit -f)"
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

    /// Writes its files in place of earlier ones: all of them, or none.
    func write(_ outcome: CycleOutcome) throws(Failure) {
        let page = CyclePage(outcome)
        let texts = [CycleCSV.text(outcome), page.picture, page.html]
        var aside: [FilePath] = []
        defer { for file in aside { _ = unsafe unlink(file.string) } }
        for (name, text) in zip(Self.names, texts) {
            aside.append(self.aside(name))
            try write(text, to: self.aside(name), named: name)
        }
        for name in Self.names {
            guard unsafe rename(self.aside(name).string, path.appending(name).string) == 0 else {
                throw Failure(name: name, errno: Errno(rawValue: errno))
            }
        }
    }

    /// Makes a file and takes it away.
    private func probe() throws(Failure) {
        let file = aside("probe")
        try write("", to: file, named: "probe")
        _ = unsafe unlink(file.string)
    }

    /// Where a file stands until it is whole: a name that no other process uses.
    private func aside(_ name: String) -> FilePath { path.appending(".\(name).\(getpid())") }

    private func write(_ text: String, to file: FilePath, named name: String) throws(Failure) {
        do {
            let descriptor = try FileDescriptor.open(
                file, .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead], retryOnInterrupt: false)
            try descriptor.closeAfter { try descriptor.writeWhole(Array(text.utf8)) }
        } catch let errno as Errno {
            throw Failure(name: name, errno: errno)
        } catch {
            throw Failure(name: name, errno: .ioError)
        }
    }

    private static func isFolder(_ path: FilePath) -> Bool {
        var status = stat()
        return unsafe stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
