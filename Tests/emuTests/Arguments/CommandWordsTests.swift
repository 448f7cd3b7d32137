import Testing

@testable import emu

@Suite struct CommandWordsTests {
    private let words = CommandWords(commands: ["run", "check", "cycle", "info"])

    @Test(
        "A command that is misspelt is answered with the one that was meant",
        arguments: [
            ("runn", "run"), ("rum", "run"), ("chek", "check"), ("cycles", "cycle"), ("Info", "info"),
        ])
    func misspelt(word: String, meant: String) {
        let error = #expect(throws: StartError.self) { try words.prepared([word, "--json"]) }
        #expect(
            error?.description
                == "'\(word)' is no command: did you mean '\(meant)'? the commands are run, check, cycle, info;"
                + " see 'emu --help'")
    }

    @Test(
        "A command that is like none is answered with all of them",
        arguments: [["walk"], [""], ["help", "walk"]])
    func unlikeAny(given: [String]) {
        let error = #expect(throws: StartError.self) { try words.prepared(given) }
        #expect(
            error?.description
                == "'\(given.last ?? "")' is no command: the commands are run, check, cycle, info; see 'emu --help'"
        )
    }

    @Test(
        "What can be used is left as it is",
        arguments: [
            ["run"], ["help"], ["help", "run"], [], ["--help"], ["run", "--json", "--json"],
            ["run", "--memory"],
            ["run", "--device", "sim", "--json", "--wire=none"],
        ])
    func usable(given: [String]) throws {
        #expect(try words.prepared(given) == given)
    }

    @Test(
        "A negative number belongs to the option before it",
        arguments: [("-1", true), ("-0.5s", true), ("-.5", true), ("-h", false), ("--json", false)])
    func negativeNumber(word: String, joins: Bool) throws {
        #expect(
            try words.prepared(["run", "--cycles", word])
                == (joins ? ["run", "--cycles=\(word)"] : ["run", "--cycles", word]))
    }

    @Test(
        "Of an option given twice none is dropped in silence",
        arguments: [
            ["run", "--memory", "1G", "--memory", "2G"], ["run", "--memory=1G", "--json", "--memory", "2G"],
        ])
    func givenTwice(given: [String]) {
        #expect(throws: StartError("--memory is given twice, as 1G and as 2G; give it once")) {
            try words.prepared(given)
        }
    }
}
