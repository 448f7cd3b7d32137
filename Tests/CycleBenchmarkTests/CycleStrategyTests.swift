import CycleBenchmark
import GuestMemory
import Testing
import VhostVDPA
import VhostVDPABackend

@Suite("Strategies")
struct CycleStrategyTests {
    static let all: BackendFeatures = [.messageV2, .iotlbBatch, .suspend, .resume, .iotlbPersist]

    @Test(
        "need what they are about",
        arguments: [
            (.persist, .iotlbPersist), (.resume, .resume), (.resume, .suspend), (.remap, .iotlbBatch),
        ] as [(CycleStrategy, BackendFeatures)])
    func needs(strategy: CycleStrategy, feature: BackendFeatures) {
        #expect(strategy.obstacle(offered: Self.all, memory: .gibibytes(4)) == nil)
        let obstacle = strategy.obstacle(offered: Self.all.subtracting(feature), memory: .gibibytes(4))
        #expect(obstacle?.contains("\(feature)") == true)
    }

    @Test("without batches only small memory is remapped, and the reason names the limit")
    func unbatched() {
        let limit = CycleStrategy.unbatchedLimit
        #expect(CycleStrategy.remapUnbatched.obstacle(offered: Self.all, memory: limit) == nil)
        let above = ByteCount(rawValue: limit.rawValue + 1)
        #expect(
            CycleStrategy.remapUnbatched.obstacle(offered: Self.all, memory: above)?.contains("\(limit)")
                == true)
    }

    @Test(
        "remapping never acknowledges PERSIST",
        arguments: [.remap, .remapVerified, .remapUnbatched] as [CycleStrategy])
    func remaps(strategy: CycleStrategy) { #expect(strategy.configuration.persist == .off) }
}
