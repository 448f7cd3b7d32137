import Foundation
import Testing

@testable import emu

@Suite struct RunReportJSONTests {
    private func object(_ report: RunReport) throws -> [String: Any] {
        let text = JSONText.encode(report)
        #expect(try RunReport.read(text) == report)
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func number(_ object: [String: Any], _ path: String) throws -> NSNumber {
        var value: Any = object
        for key in path.split(separator: ".") {
            value = try #require((value as? [String: Any])?[String(key)], "no \(path)")
        }
        return try #require(value as? NSNumber, "\(path) is no number")
    }

    @Test(
        "The JSON carries numbers under the agreed names",
        arguments: [
            ("cycles", 48), ("packets.sent", 1_234_567), ("packets.received", 1_234_567), ("packets.lost", 0),
            ("packets.duplicated", 0), ("packets.corrupted", 0), ("packets.abandoned", 0),
            ("packets.deviceDrops", 0),
            ("iotlb.updates", 6), ("iotlb.invalidates", 0), ("iotlb.batches", 1),
            ("iotlb.perCycle.updates", 0),
            ("iotlb.perCycle.invalidates", 0), ("faults", 0), ("cycleTime.p50", 152.5),
            ("cycleTime.max", 1310),
            ("throughput", 123_457), ("trafficTime", 10_000_000), ("wallTime", 10_010_000),
            ("runningTime", 9_800_000.25),
            ("schemaVersion", 1), ("failedSuspends", 0), ("ringRecoveries", 0), ("ringRestarts", 0),
            ("idleStops", 0),
            ("memoryBytes", 1_073_741_824),
            ("queues", 1), ("untaken", 0),
        ])
    func names(path: String, expected: Double) throws {
        #expect(try number(object(.sample), path).doubleValue == expected)
    }

    @Test("persist carries booleans")
    func booleans() throws {
        let persist = try #require(try object(.sample)["persist"] as? [String: Bool])
        #expect(persist == ["offered": true, "acknowledged": true])
    }

    @Test("Whole numbers are written without a fraction, others with one")
    func wholeNumbers() throws {
        var report = RunReport.sample
        report.iotlb.perCycle.updates = 5.5
        let text = JSONText.encode(report)
        #expect(text.contains("\"sent\" : 1234567\n"))
        #expect(text.contains("\"updates\" : 5.5\n"))
        #expect(text.contains("\"max\" : 1310,\n"))
    }

    @Test("Accounts are whole: each queue, each side, each counter")
    func accounts() throws {
        let accounts = try #require(try object(.sample)["accounts"] as? [[String: Any]])
        #expect(accounts.count == 2)
        #expect(accounts.map { $0["queue"] as? Int } == [0, 1])
        #expect(accounts.map { $0["direction"] as? String } == ["receive", "transmit"])
        for account in accounts {
            for side in ["driver", "device"] {
                let counters = try #require(account[side] as? [String: Int])
                #expect(
                    Set(counters.keys) == [
                        "entered", "left", "noBuffer", "refused", "tooLong", "malformed", "filtered",
                        "abandoned",
                        "pending", "cut", "missing",
                    ])
                #expect(counters["entered"] == 1_234_567)
            }
        }
    }

    @Test(
        "The verdict and the ending are words",
        arguments: [
            (RunReport.sample, "OK", "done"), (.sample { $0.packets.lost = 1 }, "WRONG", "done"),
            (
                .sample {
                    $0.cycles = 0
                    $0.interrupted = true
                    $0.ending = .interrupted
                }, "NOT SHOWN", "interrupted"
            ),
        ])
    func words(report: RunReport, verdict: String, ending: String) throws {
        let object = try object(report)
        #expect(object["verdict"] as? String == verdict)
        #expect(object["ending"] as? String == ending)
    }

    @Test("What there is none of is left out")
    func leftOut() throws {
        let object = try object(
            .sample {
                $0.cycles = 0
                $0.cycleTime = nil
            })
        #expect(object["cycleTime"] == nil)
        #expect(object["failure"] == nil)
        #expect((try self.object(.sample)["cycleTime"] as? [String: Any])?["p99"] == nil)
    }

    @Test("Keys come in one order, and the text reads back to the same report")
    func keyOrder() throws {
        var report = RunReport.sample
        report.recentFaults = [RunReport.Fault(address: "0x1000", access: "read", count: 3)]
        let text = JSONText.encode(report)
        #expect(text == JSONText.encode(report))
        #expect(try RunReport.read(text) == report)
    }
}
