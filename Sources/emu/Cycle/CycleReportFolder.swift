internal import CycleBenchmark
internal import Glibc
internal import SystemPackage

/// Where `--report` puts its page, its picture and its raw data.
struct CycleReportFolder {
    let path: FilePath

    /// Makes the folder, or takes one that is there. Before anything is measured, so that nothing is lost to a
    /// folder that cannot be written to.
    init(path: String) throws(StartError) {
        self.path = FilePath(path)
        do {
            try write("", named: CyclePage.dataName)
        } catch .noSuchFileOrDirectory {
            try make()
        } catch {
            throw StartError(
                "--report \(path): no file can be made there: \(error); name a folder you can write to")
        }
    }

    private func make() throws(StartError) {
        guard unsafe mkdir("\(path)", 0o777) == 0 else {
            throw StartError(
                "--report \(path): the folder cannot be made: \(Errno(rawValue: errno)); name one in a folder that is there"
            )
        }
        do {
            try write("", named: CyclePage.dataName)
        } catch {
            throw StartError("--report \(path): no file can be made there: \(error)")
        }
    }

    /// Writes its files, in place of earlier ones.
    func write(_ outcome: CycleOutcome) throws(Errno) {
        try write(CycleCSV.text(outcome), named: CyclePage.dataName)
        try write(CyclePage(outcome).html, named: "index.html")
        try write(CyclePage(outcome).picture, named: CyclePage.pictureName)
    }

    private func write(_ text: String, named name: String) throws(Errno) {
        do {
            let file = try FileDescriptor.open(
                path.appending(name), .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try file.closeAfter { _ = try file.writeAll(Array(text.utf8)) }
        } catch let errno as Errno {
            throw errno
        } catch {
            throw .ioError
        }
    }
}
