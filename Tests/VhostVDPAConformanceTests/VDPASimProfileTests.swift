import Testing
import VhostVDPAConformance

/// `profile=vdpasim-net` against every rule: the device that stands for the kernel's vdpa_sim_net.
@Suite("The rules on the profile of vdpa_sim_net", .serialized)
struct VDPASimProfileTests {
    /// What no simulated device can be asked: it has no descriptor, and no IOMMU of the platform's.
    private static let never: Set<Int> = [10, 68, 107]
    private static let pinnedOnly: Set<Int> = [57, 58, 59, 60]
    private static let virtualOnly: Set<Int> = [55, 56, 61]
    private static let setMapOnly: Set<Int> = [53, 54, 103]
    private static let since6_7: Set<Int> = [14, 15, 24, 33, 54, 61, 62, 65, 66, 67]
    /// Where RLIMIT_MEMLOCK sets no limit, and where a page's physical address cannot be read.
    private static let dependsOnMachine: Set<Int> = [47, 57]

    static let devices: [(specification: String, notApplicable: Set<Int>)] = [
        ("sim,profile=vdpasim-net", pinnedOnly),
        ("sim,profile=vdpasim-net,parent=dma-map", pinnedOnly.union(setMapOnly)),
        ("sim,profile=vdpasim-net,use-va=off", virtualOnly),
        ("sim,profile=vdpasim-net,use-va=off,parent=dma-map", virtualOnly.union(setMapOnly)),
        ("sim,profile=vdpasim-net,kernel=7.2", pinnedOnly),
        ("sim,profile=vdpasim-net,kernel=7.3", pinnedOnly),
        ("sim,profile=vdpasim-net,kernel=6.1", virtualOnly.union(since6_7)),
        (
            "sim,profile=vdpasim-net,kernel=6.1,parent=dma-map",
            virtualOnly.union(since6_7).union(setMapOnly)
        ),
    ]

    @Test("Every rule passes, or is not applicable for a reason that is named here", arguments: devices)
    func everyRule(_ device: (specification: String, notApplicable: Set<Int>)) throws {
        let opener = try SimulatedOpener.make(device.specification)
        let traits = try DeviceTraits.probe(opener)
        var notAsked: Set<Int> = []
        for rule in RuleBook.rules {
            switch rule.run(on: opener, traits: traits) {
            case .passed: break
            case .notApplicable: notAsked.insert(rule.number)
            case .notAsked(let reason): Issue.record("rule \(rule.number) could not be asked: \(reason)")
            case .failed(let expected, let seen):
                Issue.record("rule \(rule.number): expected \(expected), saw \(seen)")
            }
        }
        #expect(
            notAsked.subtracting(Self.dependsOnMachine)
                == Self.never.union(device.notApplicable).subtracting(Self.dependsOnMachine))
    }

    @Test(
        "A rule for vdpa_sim_net is asked of the profile on every kernel",
        arguments: devices.map(\.specification))
    func simulatorRules(_ specification: String) throws {
        let traits = try DeviceTraits.probe(SimulatedOpener.make(specification))
        let opener = try SimulatedOpener.make(specification)
        for number in [22, 70, 71] {
            let rule = try #require(RuleBook.rules(numbered: [number]).first)
            #expect(rule.run(on: opener, traits: traits) == .passed, "rule \(number)")
        }
    }
}
