import DeviceScripts
import Testing

@testable import ClientRules

/// What the scripts of files do not show: answers that devices give seldom, and long lives.
@Suite("A client that is watched") struct ClientWatchTests {
    private func report(_ text: String) throws -> ClientReport {
        ClientWatch.judge(try DeviceScript(parsing: text))
    }

    private func broken(_ text: String) throws -> [Int] { try report(text).broken.map(\.rule.number) }

    @Test("is told of memory beyond the range that the device says, and of none at its very end")
    func range() throws {
        let opened = "open -> ok\nSET_OWNER -> ok\nSET_BACKEND_FEATURES 0xe -> ok\n"
        let range = opened + "GET_IOVA_RANGE -> 0x0..0xffffff\n"
        #expect(try broken(range + "UPDATE iova=0xfff000 size=0x2000 memory=0x10000 -> EFAULT") == [210])
        #expect(try broken(range + "UPDATE iova=0xfff000 size=0x1000 memory=0x10000 -> ok") == [])
        // Refused for another reason, as nobody knows of a range.
        #expect(try broken(opened + "UPDATE iova=0xfff000 size=0x2000 memory=0x10000 -> EFAULT") == [])
    }

    @Test("may not go on where the device has left FEATURES_OK out")
    func features() throws {
        let text = "open -> ok\nSET_STATUS 0x3 -> ok\nSET_STATUS 0xb -> ok\n"
        #expect(try broken(text + "GET_STATUS -> 0x3\nSET_STATUS 0xf -> ok") == [220])
        #expect(try broken(text + "GET_STATUS -> 0xb\nSET_STATUS 0xf -> ok") == [])
    }

    @Test("may have NEEDS_RESET in its status, and may not take a bit back")
    func status() throws {
        let text = "open -> ok\nSET_STATUS 0x3 -> ok\nGET_STATUS -> 0x43\n"
        #expect(try broken(text + "SET_STATUS 0x3 -> EINVAL") == [])
        #expect(try broken(text + "SET_STATUS 0x1 -> EINVAL") == [221])
        #expect(try broken(text + "SET_STATUS 0x0 -> ok\nSET_STATUS 0x1 -> ok") == [])
    }

    @Test(
        "is told of each rule's breaches by their number, and of the first three with the calls around them")
    func counts() throws {
        let again = "UPDATE iova=0x1000 size=0x1000 memory=0x10000 -> "
        let report = try report(
            "open -> ok\nSET_OWNER -> ok\nSET_BACKEND_FEATURES 0xe -> ok\n\(again)ok\n"
                + String(repeating: again + "EFAULT\n", count: 1000))
        let broken = try #require(report.broken.first)
        #expect(report.broken.count == 1 && broken.rule.number == 201 && broken.count == 1000)
        #expect(report.callCount == 1004 && broken.findings.map(\.call) == [5, 6, 7])
        #expect(broken.findings.map { $0.calls.map(\.number) } == [Array(2...7), Array(3...8), Array(4...9)])
        #expect(broken.findings[0].detail.contains("call 4"))
    }

    @Test("has its first breach's calls after a thousand starts")
    func longLife() throws {
        let start = "SET_STATUS 0x3 -> ok\nSET_STATUS 0xb -> ok\nGET_STATUS -> 0xb\nSET_STATUS 0xf -> ok\n"
        let report = try report(
            "open -> ok\nSET_STATUS 0x3 -> ok\nSET_STATUS 0xb -> ok\nSET_STATUS 0xf -> ok\n"
                + String(repeating: "SET_STATUS 0x0 -> ok\n" + start, count: 1000))
        let broken = try #require(report.broken.first)
        #expect(broken.rule.number == 220 && broken.count == 1)
        #expect(broken.findings[0].calls.map(\.number) == Array(1...6))
    }

    @Test("is advised to keep its maps where it sends them again, and not where it gives some up")
    func cost() throws {
        let start = "SET_STATUS 0x3 -> ok\nSET_STATUS 0xb -> ok\nGET_STATUS -> 0xb\nSET_STATUS 0xf -> ok\n"
        let map = "UPDATE iova=0x1000 size=0x1000 memory=0x10000 -> ok\n"
        let text =
            "open -> ok\nGET_BACKEND_FEATURES -> 0x17e\nSET_BACKEND_FEATURES 0xe -> ok\nSET_OWNER -> ok\n"
            + map + "UPDATE iova=0x4000 size=0x3000 memory=0x20000 -> ok\n" + start
            + "SET_STATUS 0x0 -> ok\nINVALIDATE iova=0x1000 size=0x1000 -> ok\n"
        #expect(try broken(text + start) == [202])
        let report = try report(text + map + start)
        #expect(report.broken.map(\.rule.number) == [202, 225])
        #expect(
            report.broken.last?.findings.first?.detail
                == "since the device ran last 4K in 1 maps went and 4K in 1 maps came")
    }

    @Test("is not told of maps left in a space when its group is put back into space 0")
    func spaces() throws {
        let text =
            "open -> ok\nSET_OWNER -> ok\nSET_BACKEND_FEATURES 0x10e -> ok\n"
            + "UPDATE asid=1 iova=0x1000 size=0x1000 memory=0x10000 -> ok\nSET_STATUS 0x3 -> ok\n"
            + "SET_STATUS 0xb -> ok\nGET_STATUS -> 0xb\n"
        #expect(try broken(text + "SET_STATUS 0xf -> ok") == [223])
        #expect(try broken(text + "SET_GROUP_ASID group=1 asid=1 -> ok\nSET_STATUS 0xf -> ok") == [])
        #expect(try broken(text + "SET_GROUP_ASID group=1 asid=0 -> ok\nSET_STATUS 0xf -> ok") == [])
    }

    @Test(
        "has its maps where the kernel has them: in space 0, whatever they name, until IOTLB_ASID is acknowledged"
    )
    func unacknowledgedSpace() throws {
        let text =
            "open -> ok\nSET_OWNER -> ok\nSET_BACKEND_FEATURES 0x6 -> ok\n"
            + "UPDATE asid=1 iova=0x1000 size=0x1000 memory=0x10000 -> ok\n"
        #expect(try broken(text) == [204])
        #expect(try broken(text + "UPDATE iova=0x1000 size=0x1000 memory=0x10000 -> EFAULT") == [201, 204])
    }

    @Test("a packed ring's areas are those of a packed ring")
    func packed() throws {
        let text =
            "open -> ok\nSET_OWNER -> ok\nSET_BACKEND_FEATURES 0xe -> ok\n"
            + "UPDATE iova=0x1000 size=0x1000 memory=0x10000 -> ok\nSET_STATUS 0x3 -> ok\n"
            + "SET_FEATURES 0x700000000 -> ok\nSET_STATUS 0xb -> ok\nGET_STATUS -> 0xb\n"
            + "SET_VRING_NUM index=0 num=128 -> ok\n"
        func ring(_ device: String) -> String {
            "SET_VRING_ADDR index=0 desc=0x1000 avail=0x1800 used=\(device) -> ok\n"
                + "SET_VRING_ENABLE index=0 num=1 -> ok\nSET_STATUS 0xf -> ok"
        }
        #expect(try broken(text + ring("0x1ffc")) == [])
        #expect(try broken(text + ring("0x2000")) == [213])
    }

    @Test("a process that ends has its files closed: what shows at the end of a run shows then")
    func end() throws {
        let watch = "open -> ok\nSET_OWNER -> ok\nSET_BACKEND_FEATURES 0xe -> ok\neventfd call\n"
        let run =
            "SET_STATUS 0x3 -> ok\nSET_STATUS 0xb -> ok\nGET_STATUS -> 0xb\nSET_VRING_NUM index=0 num=2 -> ok\n"
            + "SET_VRING_ADDR index=0 desc=0x1000 avail=0x1100 used=0x1200 -> ok\n"
            + "SET_VRING_ENABLE index=0 num=1 -> ok\nSET_STATUS 0xf -> ok\n"
        let map = "UPDATE iova=0x1000 size=0x1000 memory=0x10000 -> ok\n"
        let call = "SET_VRING_CALL index=0 fd=call -> ok\n"
        let text =
            watch + call + map + run + "SET_STATUS 0x0 -> ok\nINVALIDATE iova=0x1000 size=0x1000 -> ok\n"
        #expect(try broken(text + map + run) == [218])
        #expect(try broken(text + map + run + call) == [])
    }

    @Test("The report has errors first, then warnings and advice, and says where nothing is wrong")
    func lines() throws {
        // A kick is no call.
        #expect(
            try report("open -> ok\neventfd kick\nsignal kick\nclose -> ok").lines
                == ["2 calls, no rule broken"])
        let lines = try report(
            "open -> ok\nSET_OWNER -> ok\nUPDATE iova=0x1000 size=0x1000 memory=0x10000 -> ok\n"
                + "UPDATE asid=1 iova=0x3000 size=0x1000 memory=0x10000 -> ok"
        ).lines
        #expect(lines.first == "4 calls; rules broken: error: 1, warning: 1")
        let heads = lines.filter { $0.contains(", once: ") }.map { $0.prefix { $0 != "," } }
        #expect(heads == ["error 204", "warning 205"])
        #expect(lines.contains("  > 4  UPDATE asid=1 iova=0x3000 size=0x1000 memory=0x10000 -> ok"))
        #expect(lines.count { $0.hasPrefix("  do:  ") } == 2 && lines.count { $0.hasPrefix("  why: ") } == 2)
    }
}
