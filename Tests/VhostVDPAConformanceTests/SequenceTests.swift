import SimulatedConformance
import SimulatedVDPA
import Testing
import VhostVDPAConformance

@Suite("Random sequences")
struct SequenceTests {
    /// The rest of a million is `emu check --device all --sequences 1000000`.
    static let count = 25

    static func suite(_ specification: String, alteration: Break? = nil) throws -> SequenceSuite {
        try SequenceSuite(profile: MapProfile(SimulatedDeviceSpecification(parsing: specification))) {
            try SimulatedOpener.make(specification, movesFrames: false, alteration: alteration)
        }
    }

    @Test(
        "Both views, the pins and every errno are what plain arrays say",
        arguments: SimulatedKinds.forSequences)
    func asThePlainArraysSay(_ specification: String) throws {
        try Self.suite(specification).run(seed: 1, count: Self.count)
    }

    /// A break, and the shortest sequence that shows it.
    struct Shrunk: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var alteration: Break
        var kinds: [String]
    }

    static let shrunk = [
        Shrunk(
            testDescription: "an INVALIDATE that does nothing",
            alteration: Break(write: { scene, message in
                message.kind == 3 && scene.updates.contains { $0.touches(message) }
                    ? .success(72) : scene.forward(message)
            }), kinds: ["UPDATE", "INVALIDATE"]),
        Shrunk(
            testDescription: "a batch that does not begin",
            alteration: Break(write: { scene, message in
                message.kind == 5 ? .success(72) : scene.forward(message)
            }), kinds: ["BATCH_BEGIN"]),
        Shrunk(
            testDescription: "an acknowledgement that is forgotten",
            alteration: Break(ioctl: { scene, ioctl in
                ioctl.request == Number.setBackendFeatures && ioctl.value & 1 << 8 != 0
                    ? scene.call(ioctl.request, ioctl.value & ~(1 << 8)) : scene.forward(ioctl)
            }), kinds: ["UPDATE", "SET_BACKEND_FEATURES", "SET_STATUS"]),
    ]

    @Test("A device with a fault is found, and the sequence shrunk to the shortest", arguments: shrunk)
    func faultIsFound(_ example: Shrunk) throws {
        let failure = #expect(throws: SequenceSuite.Failure.self) {
            try Self.suite("sim,entries=6", alteration: example.alteration).run(seed: 1, count: 200)
        }
        let kinds = failure?.operations.map {
            $0.description.split { " (".contains($0) }.first.map(String.init)
        }
        #expect(kinds.map { Set($0) } == Set(example.kinds))
        #expect(failure?.operations.count == example.kinds.count)
        #expect(failure.map { $0.expected != $0.seen } == true)
    }

    @Test("A device that loses what it promised to keep is found by the shortest sequence there is")
    func faultyParent() throws {
        let failure = #expect(throws: SequenceSuite.Failure.self) {
            try Self.suite("sim,entries=6,fault=loses-maps").run(seed: 1, count: 200)
        }
        let kinds = failure?.operations.map { $0.description.prefix { !" (".contains($0) } }
        #expect(kinds.map { Set($0) } == ["UPDATE", "SET_BACKEND_FEATURES", "SET_STATUS"])
        #expect(kinds?.count == 3)
    }

    @Test("A seed is the same sequence every time, and another one another")
    func reproducible() {
        let first = SequenceOperation.sequence(seed: 7, length: 50)
        #expect(first == SequenceOperation.sequence(seed: 7, length: 50))
        #expect(first != SequenceOperation.sequence(seed: 8, length: 50))
    }

    @Test("A seed is the same sequence in every version: what a report named can be run again")
    func seeds() {
        #expect(
            SequenceOperation.sequence(seed: 0, length: 8).map(\.description) == [
                "UPDATE space 0 pages 1..<4 to shared page 1, access 3",
                "UPDATE space 1 pages 0..<1 to shared page 1, access 2",
                "UPDATE space 0 pages 11..<14 to shared page 1, access 2",
                "SET_STATUS 0",
                "SUSPEND",
                "SET_STATUS 0",
                "UPDATE space 0 pages 7..<9 to readOnly page 1, access 2",
                "UPDATE space 0 pages 9..<10 to shared page 4, access 1",
            ])
        #expect(
            SequenceOperation.sequence(seed: 7, length: 8).map(\.description) == [
                "SET_BACKEND_FEATURES IOTLB_PERSIST 0 IOTLB_ASID 0",
                "SET_STATUS 0",
                "BATCH_BEGIN space 1",
                "SET_GROUP_ASID 0 1",
                "UPDATE space 2 pages 9..<10 to shared page 4, access 1",
                "UPDATE space 0 pages 4..<6 to shared page 0, access 1",
                "UPDATE space 1 pages 3..<6 to shared page 1, access 1",
                "UPDATE space 2 pages 8..<9 to shared page 3, access 2",
            ])
    }
}
