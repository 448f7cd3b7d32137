import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance

/// Nothing is said of a device that was not asked for want of something of the caller's.
@Suite("A rule that could not be asked")
struct NotAskedTests {
    static let shortages: [Errno] = [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory]

    private static func reason(_ outcome: RuleOutcome) -> String? {
        if case .notAsked(let reason) = outcome { return reason }
        return nil
    }

    @Test(
        "is one whose call was refused for a shortage: what is missing, and what to do", arguments: shortages)
    func refusedCall(_ errno: Errno) throws {
        let traits = try SimulatedOpener.traits("sim")
        var opener = try SimulatedOpener.make("sim")
        opener.open = { () throws(Errno) in throw errno }
        let rule = try #require(RuleBook.rules(numbered: [2]).first)
        let reason = try #require(Self.reason(rule.run(on: opener, traits: traits)))
        #expect(reason.hasPrefix("open: E") && reason.contains(";"))
        #expect {
            try DeviceTraits.probe(opener)
        } throws: {
            guard case .notAsked = $0 as? RuleInterruption else { return false }
            return true
        }
    }

    @Test("is one that needs to know what could not be found out, and not one of another kind of device")
    func unknownTrait() throws {
        // The traffic probe binds kicks; nothing before it does.
        let isShort = Break(ioctl: { scene, ioctl in
            ioctl.request == Request.setVringKick ? .failure(.tooManyOpenFiles) : scene.forward(ioctl)
        })
        let opener = try SimulatedOpener.make("sim,kernel=6.1", alteration: isShort)
        let traits = try DeviceTraits.probe(opener)
        #expect(traits.unknown.traffic?.contains("ulimit -n") == true)
        let outcomes = RuleBook.rules.map { ($0, $0.run(on: opener, traits: traits)) }
        for (rule, outcome) in outcomes where rule.needs.contains(.traffic) {
            // What a kernel of 6.1 does not have is not for want of a descriptor.
            if rule.needs.contains(.since(KernelRelease(6, 7))) {
                #expect(Self.reason(outcome) == nil, "rule \(rule.number)")
            } else if rule.needs == [.traffic] {
                #expect(Self.reason(outcome) != nil, "rule \(rule.number): \(outcome)")
            }
        }
        #expect(outcomes.contains { $0.1 == .passed })
    }

    @Test("is one about pinned pages that nobody can count")
    func uncounted() throws {
        var opener = try SimulatedOpener.make("sim,use-va=off")
        let traits = try SimulatedOpener.traits("sim,use-va=off")
        opener.pinnedBytes = { nil }
        for rule in RuleBook.rules(numbered: [58, 59]) {
            #expect(Self.reason(rule.run(on: opener, traits: traits)) != nil, "rule \(rule.number)")
        }
    }

    @Test("is none that the device refused for a reason of its own")
    func refusedByDevice() throws {
        let traits = try SimulatedOpener.traits("sim")
        var opener = try SimulatedOpener.make("sim")
        opener.open = { () throws(Errno) in throw .ioError }
        let rule = try #require(RuleBook.rules(numbered: [2]).first)
        #expect(
            rule.run(on: opener, traits: traits) == .failed(expected: "open: success", seen: "open: EIO"))
    }
}
