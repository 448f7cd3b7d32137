import Foundation
import Testing
import VirtioNet

@Suite("The documents") struct DocumentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func text(_ name: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: name), encoding: .utf8)
    }

    @Test("README.md lists every port that --guest and --wire take, in the order of the help")
    func ports() throws {
        let line = try #require(try text("README.md").split(separator: "\n").first { $0.hasPrefix("PORT ") })
        #expect(line.dropFirst(11) == PortSpecification.spellings.joined(separator: " | "))
    }

    @Test("docs/extending.md names files and folders that are there")
    func extending() throws {
        let paths = try text("docs/extending.md").matches(of: /`((?:Sources|Tests)\/[^`]+)`/).map {
            String($0.1)
        }
        #expect(paths.count > 10)
        for path in paths where !path.contains("NAME") {
            #expect(FileManager.default.fileExists(atPath: Self.root.appending(path: path).path()), "\(path)")
        }
    }
}
