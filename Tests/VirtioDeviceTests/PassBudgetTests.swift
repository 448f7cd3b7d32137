import Testing
import VirtioDevice

@Suite("The budget of a pass")
struct PassBudgetTests {
    @Test("has room for so many chains, however short")
    func chains() {
        var pass = PassBudget(chains: 3)
        for _ in 0..<3 {
            #expect(pass.hasRoom)
            pass.take(bytes: 0, segments: 1)
        }
        #expect(!pass.hasRoom)
    }

    @Test("ends with the chain that reaches its bytes")
    func bytes() {
        var pass = PassBudget(chains: 1000)
        pass.take(bytes: UInt32(PassBudget.byteLimit) - 17, segments: 1)
        #expect(pass.hasRoom)
        pass.take(bytes: 1, segments: 0)
        #expect(!pass.hasRoom)
    }

    @Test("is charged for segments too, which move nothing")
    func segments() {
        var pass = PassBudget(chains: 1000)
        pass.take(bytes: 0, segments: PassBudget.byteLimit / 16)
        #expect(!pass.hasRoom)
    }
}
