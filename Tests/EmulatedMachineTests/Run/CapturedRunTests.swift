import EmulatedMachine
import Foundation
import Glibc
import TestSupport
import Testing
import VirtioNet

@Suite("A run whose frames are recorded", .timeLimit(.minutes(15))) struct CapturedRunTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path("capture.pcapng") }

    init() throws { folder = try TemporaryFolder() }

    private func run(_ wire: PortSpecification, duration: Duration) throws -> RunResult {
        let machine = try makeMachine("sim", wire: wire)
        defer { machine.close() }
        let plan = RunPlan(interval: .milliseconds(50), duration: duration)
        return try MachineRun(machine, plan: plan, interrupt: try RunInterrupt()).run()
    }

    @Test("has in its result what its account has, both ways")
    func agrees() throws {
        let result = try run(.capture(path), duration: .milliseconds(200))
        let (received, sent) = (
            try #require(result.accounts[0].device), try #require(result.accounts[1].device)
        )
        let outcome = try #require(result.captures.first).outcome
        #expect(outcome.recorded + outcome.unrecorded == received.entered + sent.left)
        #expect(result.frames.isFlawless)
    }

    @Test(
        "into a pipe that nobody reads ends when its time is up, with its stops made and its frames accounted for"
    )
    func stuck() throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let result = try run(.capture("/proc/self/fd/\(ends[1])"), duration: .seconds(2))
        #expect(result.ending == .done)
        #expect(result.frames.isFlawless)
        #expect(result.accounts.allSatisfy { $0.balances }, "\(result.accounts)")
        let outcome = try #require(result.captures.first).outcome
        #expect(outcome.failure == .behind && outcome.unrecorded > 0)
    }

    @Test("that cannot start leaves the file as it was, and none that was not there")
    func unstarted() throws {
        #expect(throws: MachineError.self) {
            _ = try makeMachine("sim", queuePairs: 2, wire: .capture(path))
        }
        #expect(unsafe access(path, F_OK) != 0)
        try Data("earlier".utf8).write(to: URL(filePath: path))
        #expect(throws: MachineError.self) {
            _ = try makeMachine("sim", queuePairs: 2, wire: .capture(path))
        }
        #expect(try Data(contentsOf: URL(filePath: path)) == Data("earlier".utf8))
    }
}
