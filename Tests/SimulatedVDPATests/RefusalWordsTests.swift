import SystemPackage
import Testing
import VhostVDPAConformance

@testable import SimulatedVDPA

/// The true reason of a refused map, which write(2) does not give.
@Suite("Refusals in words")
struct RefusalWordsTests {
    @Test("taken entries name entries=, and the number that a broken mapping takes")
    func entries() throws {
        let client = try Client.owned("sim,entries=2")
        let memory = Memory(pages: 1)
        #expect(client.update(0x1000, memory) == nil)
        #expect(client.update(0x3000, memory) == nil)
        #expect(client.file.lastRefusal == nil)
        #expect(client.update(0x5000, memory) == .badAddress)
        let words = client.file.lastRefusal ?? ""
        #expect(words.contains("errno 28") && words.contains("room for 2 (entries="), "\(words)")

        let broken = try Client.owned("sim,use-va=off,entries=2,fragment=4K")
        #expect(broken.update(0x100000, Memory(pages: 9)) == .badAddress)
        #expect(broken.file.lastRefusal?.contains("this map takes 9") == true)
        #expect(broken.file.lastRefusal?.contains("fragment=") == true)
    }

    @Test("locked memory names the device's limit where it has one, and the process's where it has none")
    func lockedMemory() throws {
        let own = try Client.owned("sim,use-va=off,memlock=8K")
        #expect(own.update(0, Memory(pages: 3)) == .badAddress)
        let words = own.file.lastRefusal ?? ""
        #expect(words.contains("errno 12") && words.contains("(memlock=) is 8192 bytes"), "\(words)")
        #expect(!words.contains("RLIMIT"))

        let inherited = try Client.owned("sim,use-va=off", memlock: 2)
        #expect(inherited.update(0, Memory(pages: 3)) == .badAddress)
        #expect(inherited.file.lastRefusal?.contains("RLIMIT_MEMLOCK") == true)
        #expect(inherited.file.lastRefusal?.contains("ulimit -l") == true)
    }

    @Test("a parent that refuses is named by its operation, and a message that is taken clears the reason")
    func parent() throws {
        let client = try Client.owned("sim,fault=set-map")
        let memory = Memory(pages: 1)
        #expect(client.update(0x1000, memory) == .badAddress)
        #expect(client.file.lastRefusal?.contains("the parent driver's set_map failed") == true)
        #expect(client.send(.batchBegin) == nil)
        #expect(client.file.lastRefusal == nil)
    }
}
