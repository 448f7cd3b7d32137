import Testing

@testable import DeviceScripts

@Suite("Coverage of scripts that were played")
struct GeneratorCoverageTests {
    private func coverage(_ text: String) throws -> ScriptCoverage {
        let script = try DeviceScript(parsing: text)
        var coverage = ScriptCoverage()
        coverage.note(
            script,
            script.lines.map { line in
                if case .exactly(let answer) = line.expectation { answer } else { nil }
            })
        return coverage
    }

    @Test("counts each answer of a call in the state that the answers before it have brought about")
    func counts() throws {
        let coverage = try coverage(
            """
            open -> ok
            GET_STATUS -> 0x0
            SET_STATUS 0x3 -> ok
            SET_OWNER -> ok
            GET_STATUS -> 0x3
            GET_STATUS @null -> EFAULT
            child GET_STATUS -> ok
            SET_STATUS 0xb -> ok
            GET_STATUS -> 0xb
            SET_STATUS 0xf -> ok
            GET_STATUS -> 0xf
            SUSPEND -> EOPNOTSUPP
            GET_STATUS -> 0xf
            SUSPEND -> ok
            GET_STATUS -> 0xf
            BATCH_BEGIN -> ok
            GET_STATUS -> 0xf
            BATCH_END -> ok
            SET_STATUS 0x0 -> ok
            GET_STATUS -> 0x0
            close -> ok
            open -> EBUSY
            """)
        func seen(_ situation: ScriptSituation) -> [String: Int] {
            coverage.answers(to: "GET_STATUS", in: situation)
        }
        #expect(seen(.noOwner) == ["ok": 1])
        #expect(seen(.owned) == ["ok": 2, "EFAULT": 1])
        #expect(seen(.child) == ["ok": 1])
        #expect(seen(.features) == ["ok": 1])
        #expect(seen(.running) == ["ok": 2])
        #expect(seen(.suspended) == ["ok": 1])
        #expect(seen(.batch) == ["ok": 1])
        #expect(coverage.answers(to: "open", in: .closed) == ["ok": 1, "EBUSY": 1])
        #expect(coverage.callCount == 22)
        #expect(coverage.successShare == 86)
        #expect(coverage.neverAsked.contains { $0.call == "SET_VRING_NUM" && $0.situation == .batch })
        #expect(!coverage.neverAsked.contains { $0.call == "GET_STATUS" })
    }

    @Test("adds up over scripts, and says in a table what was seen and what was never asked")
    func table() throws {
        var sum = try coverage("open -> ok\nGET_STATUS -> 0x0\nGET_STATUS -> 0x0\nGET_STATUS @null -> EFAULT")
        sum.merge(try coverage("open -> ok\nGET_STATUS -> 0x0\nclose -> ok"))
        #expect(sum.answers(to: "GET_STATUS", in: .noOwner) == ["ok": 3, "EFAULT": 1])
        #expect(sum.scriptCount == 2 && sum.callCount == 7)
        let lines = sum.table.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("GET_STATUS") && $0.contains("ok 3, EFAULT 1") })
        #expect(lines.contains { $0.hasPrefix("7 calls in 2 scripts, 85% successful") })
        #expect(lines.contains { $0.hasPrefix("never asked: ") && $0.contains("GET_STATUS (running)") })
    }
}
