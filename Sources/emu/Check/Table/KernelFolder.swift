internal import SystemPackage

/// What `scripts/test-kernel --keep` leaves of one virtual machine: a kernel, a device, and what became of each rule on
/// it and on the simulation that stands for it.
struct KernelFolder {
    /// `6.12` as its numbers.
    let kernel: [Int]
    /// The device as `scripts/test-kernel` names it.
    let device: String
    /// The kernel as it names itself.
    let release: String
    /// The rules on the device, in the order in which they were asked.
    let rules: [CheckReport.Entry]
    /// The rules whose outcome in the simulation is another, or that it was not asked.
    let differing: Set<Int>
    /// The reasons that the check has for some of them, by the rule's number.
    let reasons: [Int: String]

    /// Reads the folder at `path`, which has a `log/conformance.json`.
    init(_ path: FilePath) throws(StartError) {
        let log = path.appending("log")
        (kernel, device) = try Self.parse(name: path)
        release = try Self.release(path.appending("release"))
        rules = try Self.report(path.appending(Self.results)).rules
        let twin = try Self.report(log.appending("conformance-twin.json")).rules
        let simulated = Dictionary(twin.map { ($0.number, $0.outcome) }) { $1 }
        differing = Set(rules.filter { simulated[$0.number] != $0.outcome }.map(\.number))
        let lines = try Self.lines(log.appending("conformance.out"))
        reasons = Dictionary(lines.compactMap(Self.reason)) { $1 }
    }

    /// Whether a rule has been asked in the folder at `path`: other folders and files are no virtual machine's. One of a
    /// virtual machine that was not asked is refused: a table without it would not say that it is missing.
    static func isOne(_ path: FilePath) throws(StartError) -> Bool {
        if try holds(path.appending(results)) { return true }
        for trace in traces where try holds(path.appending(trace)) {
            throw StartError(
                "\(path) is of a virtual machine that left no \(results): it died, or its steps were others; run it again with"
                    + " scripts/test-kernel --steps 60 --keep, or take its folder away")
        }
        return false
    }

    private static let results = "log/conformance.json"
    /// What `scripts/test-kernel` leaves of each virtual machine, whatever became of it.
    private static let traces = ["vm", "dmesg", "log/conformance-twin.json"]

    private static func holds(_ file: FilePath) throws(StartError) -> Bool {
        do {
            try InputFile.open(file, options: .nonBlocking).close()
            return true
        } catch Errno.noSuchFileOrDirectory, Errno.notDirectory {
            return false
        } catch {
            throw StartError("\(file) cannot be read: \(error); run as who made it")
        }
    }

    // MARK: Files

    /// KERNEL-KIND-NAME-VALUE-NAME-VALUE, as `scripts/test-kernel` writes its KERNEL and KIND:NAME=VALUE,NAME=VALUE.
    private static func parse(name path: FilePath) throws(StartError) -> (kernel: [Int], device: String) {
        let name = path.lastComponent?.string ?? ""
        let parts = name.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        let numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        let words = parts.dropFirst(2)
        let options = stride(from: words.startIndex, to: words.endIndex - 1, by: 2).map {
            (words[$0], words[$0 + 1])
        }
        guard parts.count >= 2, ["vdpasim", "vp_vdpa"].contains(parts[1]), words.count.isMultiple(of: 2),
            numbers.allSatisfy({ $0 != nil }),
            options.allSatisfy({ option, value in
                !option.isEmpty && !value.isEmpty && value.allSatisfy(\.isNumber)
            })
        else {
            throw StartError(
                "\(path): '\(name)' is no kernel and device, as 6.12-vdpasim-batch-1 is; give the folder of scripts/test-kernel"
                    + " --keep")
        }
        let list = options.map { "\($0)=\($1)" }.joined(separator: ",")
        return (numbers.compactMap(\.self), parts[1] + (list.isEmpty ? "" : ":\(list)"))
    }

    /// RELEASE #1 SMP … Debian VERSION (DATE): the version is what the release of 6.1 does not tell.
    private static func release(_ path: FilePath) throws(StartError) -> String {
        let words = try (lines(path).first ?? "").split(separator: " ")
        guard let release = words.first, let debian = words.dropFirst().firstIndex(of: "Debian"),
            debian + 1 < words.endIndex
        else { throw StartError("\(path) does not hold what 'uname -rv' prints on Debian: make it anew") }
        return "\(release), Debian \(words[debian + 1])"
    }

    /// `rule N: OUTCOME on the device, OUTCOME in the simulation: REASON`.
    private static func reason(_ line: Substring) -> (Int, String)? {
        let words = line.split(separator: " ", maxSplits: 10, omittingEmptySubsequences: false)
        guard words.count == 11, words[0] == "rule", words[1].hasSuffix(":"),
            let number = Int(words[1].dropLast()),
            words[3...5] == ["on", "the", "device,"], words[7...9] == ["in", "the", "simulation:"]
        else { return nil }
        return (number, String(words[10]))
    }

    private static func report(_ path: FilePath) throws(StartError) -> CheckReport {
        let bytes = try read(path)
        do throws(JSONText.Refusal) {
            return try JSONText.decode(CheckReport.self, from: bytes)
        } catch {
            throw StartError("\(path): \(error)")
        }
    }

    private static func lines(_ path: FilePath) throws(StartError) -> [Substring] {
        try String(decoding: read(path), as: UTF8.self).split(separator: "\n")
    }

    private static func read(_ path: FilePath) throws(StartError) -> [UInt8] {
        do throws(InputFile.Failure) {
            return try InputFile(path: path).bytes()
        } catch {
            throw StartError(
                "\(path) cannot be read: \(error); make it anew with scripts/test-kernel --steps 60 --keep")
        }
    }
}
