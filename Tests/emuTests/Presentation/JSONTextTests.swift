import CycleBenchmark
import Foundation
import Testing

@testable import emu

@Suite struct JSONTextTests {
    private struct Body: JSONResult, Codable, Equatable {
        static let schema = JSONSchema.info
        var answer = 42
        var none: Int?
        var path = "/dev/null"
    }

    @Test("A result's object has its own fields, and beside them what it is")
    func ownFields() {
        #expect(
            JSONText.encode(Body()) == """
                {
                  "answer" : 42,
                  "path" : "/dev/null",
                  "schema" : "info",
                  "schemaVersion" : 1
                }
                """)
    }

    @Test("What it is does not stand in the way of reading a result back")
    func readBack() throws {
        let body = Body(answer: -1, none: 3, path: "ä")
        #expect(try JSONDecoder().decode(Body.self, from: Data(JSONText.encode(body).utf8)) == body)
    }

    @Test("Every kind of result has a schema of its own")
    func schemaEach() {
        let results: [any JSONResult.Type] = [
            RunReport.self, RunComparison.self, AllCheckReport.self, AllSequencesReport.self,
            CheckReport.self, RuleListing.self, SequenceReport.self,
            CycleReport.self, DeviceInformation.self, ReplayReport.self, RandomReplayReport.self,
            ExecReport.self,
            VDUSEReport.self,
            ErrorReport.self,
        ]
        #expect(Set(results.map { $0.schema }) == Set(JSONSchema.allCases))
        #expect(results.count == JSONSchema.allCases.count)
    }
}
