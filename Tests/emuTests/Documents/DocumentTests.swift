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

    @Test("A link leads to a file, and to a heading of it where it names one")
    func links() throws {
        let documents = try ["README.md", "CONTRIBUTING.md"] + files(in: "docs", ending: ".md")
        var count = 0
        for document in documents {
            // A program in a document has brackets of its own.
            let prose = try text(document).split(separator: "```", omittingEmptySubsequences: false)
                .enumerated().filter { $0.offset.isMultiple(of: 2) }.map { String($0.element) }.joined()
            let folder = document.contains("/") ? "docs/" : ""
            for match in prose.matches(of: /\]\(([^)#]*)(?:#([^)]+))?\)/) where !match.1.hasPrefix("http") {
                count += 1
                let target = match.1.isEmpty ? document : folder + String(match.1)
                let url = Self.root.appending(path: target)
                #expect(FileManager.default.fileExists(atPath: url.path()), "\(document): \(match.0)")
                guard let heading = match.2 else { continue }
                let headings = try String(contentsOf: url, encoding: .utf8).matches(of: /(?m)^#+ (.+)$/)
                #expect(
                    headings.contains { $0.1.lowercased().replacing(" ", with: "-") == heading },
                    "\(document): \(match.0)")
            }
        }
        #expect(count > 20)
    }

    @Test("docs/extending.md names every file that speaks of captures")
    func captures() throws {
        let document = try text("docs/extending.md")
        let schemas = try files(in: "docs/json-schema", ending: ".json")
        let speaking = try (sources() + schemas).filter { path in
            try code(path).contains { $0.contains(/[cC]apture/) }
        }
        #expect(speaking.count > 20)
        for path in speaking { #expect(document.contains("`\(path)`"), "\(path)") }
    }

    @Test("docs/architecture.md names the files of each walk, which are there, and counts them")
    func walks() throws {
        let document = try text("docs/architecture.md")
        let sources = Set(try sources().map { $0.split(separator: "/").last ?? "" })
        let walks = document.matches(of: /(?m)^Files to read, in order: (.+)$/).map { walk in
            walk.1.prefix { $0 != "." }.matches(of: /`([^`]+)`/).map { "\($0.1).swift" }
        }
        for name in walks.joined() { #expect(sources.contains(name[...]), "\(name)") }
        for walk in walks { #expect(Set(walk).count == walk.count, "\(walk)") }
        let counts = document.matches(of: /(?m)^\| (?:a|an) [^|]+ \| (\d+) \| \d+ \| \d+ \| \d+ \|$/).map {
            Int($0.1)
        }
        let lengths = walks.map(\.count)
        try #require(lengths.count == 3)
        #expect(counts == [lengths[0], lengths[1] - 1, lengths[1], lengths[2]])
    }

    @Test("docs/architecture.md names every file with unsafe code, and no other")
    func unsafeCode() throws {
        for row in try rows() {
            let target = row[0].filter(\.isLetter)
            let marked = try sources("Sources/\(target)").filter { path in
                try code(path).contains { $0.contains(/\bunsafe\b/) }
            }.map { $0.dropFirst("Sources/\(target)/".count).dropLast(".swift".count) }
            var unseen = Set(row[3].matches(of: /`([^`]+)`/).map { String($0.1) })
            let names = unseen
            for file in marked {
                let name = names.first {
                    $0.hasSuffix("/") ? file.hasPrefix($0) : file == $0 || file.hasPrefix("\($0)+")
                }
                #expect(name != nil, "\(target): \(file)")
                if let name { unseen.remove(name) }
            }
            #expect(unseen.isEmpty, "\(target)")
        }
    }

    @Test("docs/architecture.md has every target, Package.swift's imports, and arrows that lead to them")
    func architecture() throws {
        let manifest = try text("Package.swift")
        let lines = try text("docs/architecture.md").split(separator: "\n", omittingEmptySubsequences: false)
        var imports: [String: Set<String>] = [:]
        for row in try rows() {
            let names = row[2].matches(of: /\w+/).map { String($0.output) }
            imports[String(row[0].filter(\.isLetter))] = Set(names)
        }
        let sources = try FileManager.default.contentsOfDirectory(
            atPath: Self.root.appending(path: "Sources").path())
        let isC: Set = ["CLinux", "CIOUring", "CProcessStart"]
        #expect(Set(imports.keys) == Set(sources.filter { !$0.hasPrefix(".") }).subtracting(isC))

        // emu itself is said to import all of it, in words.
        imports["emu"] = Set(imports.keys).subtracting(["emu"])
        for (name, listed) in imports where name != "emu" {
            let declared = try dependencies(of: name, in: manifest)
            #expect(declared == listed, "\(name)")
        }

        let arrows = lines.drop { $0 != "graph TD" }.dropFirst().prefix { $0 != "```" }
            .map { $0.matches(of: /\w+/).map { String($0.output) } }
        #expect(arrows.count > 10)
        var led: [String: Set<String>] = [:]
        for arrow in arrows {
            try #require(arrow.count == 2, "\(arrow)")
            #expect(imports[arrow[0]]?.contains(arrow[1]) == true, "\(arrow)")
            led[arrow[0], default: []].insert(arrow[1])
        }
        for (name, listed) in imports {
            var reached = led[name] ?? []
            var count = -1
            while count != reached.count {
                count = reached.count
                for target in reached { reached.formUnion(led[target] ?? []) }
            }
            #expect(listed.subtracting(isC).isSubset(of: reached), "\(name)")
        }
    }

    /// The rows of docs/architecture.md's table of targets.
    private func rows() throws -> [[String]] {
        let lines = try text("docs/architecture.md").split(separator: "\n", omittingEmptySubsequences: false)
        let rows = lines.drop { $0 != "| target | its one job | imports | unsafe code |" }.dropFirst(2)
            .prefix { $0.hasPrefix("|") }
            .map { $0.split(separator: "|").map { String($0.trimmingPrefix(" ")) } }
        try #require(rows.count > 10)
        for row in rows { try #require(row.count == 4, "\(row)") }
        return rows
    }

    /// The Swift files below a folder, from the package's root on.
    private func sources(_ folder: String = "Sources") throws -> [String] {
        try files(in: folder, ending: ".swift")
    }

    private func files(in folder: String, ending: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: Self.root.appending(path: folder).path())
            .filter { $0.hasSuffix(ending) }.map { "\(folder)/\($0)" }
    }

    /// A file's lines that are no comment.
    private func code(_ path: String) throws -> [Substring] {
        try text(path).split(separator: "\n").filter {
            !$0.trimmingPrefix(while: \.isWhitespace).hasPrefix("//")
        }
    }

    /// The targets of this package that a target of the manifest depends on.
    private func dependencies(of name: String, in manifest: String) throws -> Set<String> {
        let pattern = try Regex(
            #"(?:library\(\s*"\#(name)",|name: "\#(name)",\s*dependencies:)\s*\[([^\]]*)\]"#)
        let match = try #require(try pattern.firstMatch(in: manifest), "\(name)")
        let list = try #require(match.output[1].substring)
        return Set(list.matches(of: /"(\w+)"/).map { String($0.output.1) })
    }
}
