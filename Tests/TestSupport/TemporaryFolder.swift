package import Foundation

/// A folder of a test's own, there from the start and gone with the value, with all that is in it.
package final class TemporaryFolder {
    package let url = FileManager.default.temporaryDirectory.appending(path: "emu-test-\(UUID().uuidString)")

    package init() throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    package var path: String { url.path }

    /// The path of what is called `name` in it; folders in it are part of a name.
    package func path(_ name: String) -> String { url.appending(path: name).path }

    /// The path of a named pipe that is made in it.
    package func makePipe(_ name: String) throws -> String {
        let path = path(name)
        guard unsafe mkfifo(path, 0o600) == 0 else { throw CocoaError(.fileWriteUnknown) }
        return path
    }
}
