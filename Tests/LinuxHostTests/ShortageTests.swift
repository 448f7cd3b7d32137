import SystemPackage
import Testing

@testable import LinuxHost

@Suite("A shortage") struct ShortageTests {
    static let space = MemoryLimit(command: "ulimit -v", byteCount: 600 << 20)
    static let data = MemoryLimit(command: "ulimit -d", byteCount: 24_000 << 10)

    @Test(
        "of memory names the limits of memory that are set, and no others",
        arguments: [
            ([], "there is not enough memory; free some"),
            (
                [space],
                "there is not enough memory, or 'ulimit -v' (614400) is too low; free some or raise it"
            ),
            (
                [space, data],
                "there is not enough memory, or 'ulimit -v' (614400) or 'ulimit -d' (24000) is too low; free some or raise it"
            ),
        ])
    func memory(limits: [MemoryLimit], words: String) {
        #expect(Shortage.advice(.noMemory, limits: limits) == words)
    }

    @Test(
        "of threads may be one of memory, and names the same limits",
        arguments: [
            ([], "raise 'ulimit -u' or pids.max"),
            ([data], "raise 'ulimit -u', pids.max or 'ulimit -d' (24000)"),
            ([space, data], "raise 'ulimit -u', pids.max, 'ulimit -v' (614400) or 'ulimit -d' (24000)"),
        ])
    func threads(limits: [MemoryLimit], words: String) {
        let advice = Shortage.advice(.resourceTemporarilyUnavailable, limits: limits)
        #expect(
            advice
                == "this user or control group has all the processes it may have, or memory is short; \(words)"
        )
    }
}
