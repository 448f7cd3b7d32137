import EmulatedMachine
import Foundation
import TestSupport
import Testing
import VirtioNet

@Suite("The namespaces of a machine's TAPs") struct NamespaceWatchTests {
    private let outside: TemporaryFolder
    private var folder: URL { outside.url.appending(path: "netns") }

    init() throws { outside = try TemporaryFolder() }

    private func make(_ name: String) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data().write(to: folder.appending(path: name))
    }

    @Test("are said to be deleted once: where the name is gone, and where it is another's")
    func deleted() throws {
        try make("left")
        try make("right")
        let ports = [
            PortSpecification.tap(name: "ta", namespace: "left"), .tap(name: "tb", namespace: "right"),
            .tap(name: "tc", namespace: "nowhere"), .tap(name: "td", namespace: nil), .generator,
        ]
        var watch = NamespaceWatch(ports, folder: folder.path())
        #expect(watch.newlyDeleted().isEmpty)
        try FileManager.default.removeItem(at: folder.appending(path: "left"))
        #expect(watch.newlyDeleted() == [ports[0]])
        #expect(watch.newlyDeleted().isEmpty)
        // Made before the old one goes, so that it cannot have the same inode.
        try make("other")
        try FileManager.default.removeItem(at: folder.appending(path: "right"))
        try FileManager.default.moveItem(
            at: folder.appending(path: "other"), to: folder.appending(path: "right"))
        #expect(watch.newlyDeleted() == [ports[1]])
        #expect(watch.newlyDeleted().isEmpty)
    }

    @Test("are not said to be deleted where they cannot be looked up")
    func unknown() throws {
        let aside = folder.appendingPathExtension("aside")
        try make("left")
        let port = PortSpecification.tap(name: "ta", namespace: "left")
        var watch = NamespaceWatch([port], folder: folder.path())
        // ELOOP, where the folder is.
        try FileManager.default.moveItem(at: folder, to: aside)
        try FileManager.default.createSymbolicLink(at: folder, withDestinationURL: folder)
        #expect(watch.newlyDeleted().isEmpty)
        try FileManager.default.removeItem(at: folder)
        try FileManager.default.moveItem(at: aside, to: folder)
        #expect(watch.newlyDeleted().isEmpty)
        try FileManager.default.removeItem(at: folder.appending(path: "left"))
        #expect(watch.newlyDeleted() == [port])
    }
}
