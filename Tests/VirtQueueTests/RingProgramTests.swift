import Glibc
import Testing
import VirtQueue
import Virtio

/// Both sides against each other and against the oracle; see ``RingMachine``.
@Suite
struct RingProgramTests {
    static let features: [VirtioFeatures] = [
        [], .eventIndex, .indirectDescriptors, [.eventIndex, .indirectDescriptors],
    ]

    @Test("Honest sides agree with the oracle on every answer", arguments: UInt8(0)...15, features)
    func honest(sizeLog2: UInt8, features: VirtioFeatures) throws {
        let count = sizeLog2 > 8 ? 40 : 250
        for seed in UInt64(1)...(sizeLog2 > 8 ? 1 : 5) {
            let program = ProgramWriter.random(
                seed: seed &* 977 &+ UInt64(sizeLog2), sizeLog2: sizeLog2, features: features, count: count,
                operations: RingOperation.honest)
            try Self.keep(program, "honest-\(sizeLog2)-\(features.rawValue >> 28)-\(seed)")
            try SplitRingMachine.run(program)
        }
    }

    @Test("A hostile side gets errors and harms nobody", arguments: UInt8(0)...8, features)
    func hostile(sizeLog2: UInt8, features: VirtioFeatures) throws {
        for seed in UInt64(1)...6 {
            let program = ProgramWriter.random(
                seed: seed &* 7919 &+ UInt64(sizeLog2), sizeLog2: sizeLog2, features: features, count: 300,
                operations: RingOperation.hostile)
            if seed <= 4 {
                try Self.keep(program, "hostile-\(sizeLog2)-\(features.rawValue >> 28)-\(seed)")
            }
            try SplitRingMachine.run(program)
        }
    }

    @Test("Indices wrap at every size", arguments: UInt8(0)...15, features)
    func wrap(sizeLog2: UInt8, features: VirtioFeatures) throws {
        let size = 1 << Int(sizeLog2)
        var writer = ProgramWriter(sizeLog2: sizeLog2, features: features, base: 0xFFFE)
        for _ in 0..<(size < 1024 ? 8 : 2) {
            writer.append(.requestKicks)
            writer.append(.requestCalls, [0])
            writer.append(.fill, word: size)
            writer.append(.drain)
        }
        try Self.keep(writer.bytes, "wrap-\(sizeLog2)-\(features.rawValue >> 28)")
        try SplitRingMachine.run(writer.bytes)
    }

    /// Writes a program as a seed of the fuzzer's corpus where `EMU_FUZZ_CORPUS` names a directory for it.
    private static func keep(_ program: [UInt8], _ name: String) throws {
        guard let directory = unsafe getenv("EMU_FUZZ_CORPUS") else { return }
        let path = unsafe String(cString: directory) + "/" + name
        guard let file = unsafe fopen(path, "wb") else {
            Issue.record("cannot write \(path): errno \(errno)")
            return
        }
        defer { unsafe fclose(file) }
        let written = unsafe fwrite(program, 1, program.count, file)
        #expect(written == program.count)
    }
}
