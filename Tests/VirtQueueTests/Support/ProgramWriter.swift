import SeededRandom
import VirtQueue
import Virtio

/// Writes programs for ``RingMachine``.
struct ProgramWriter {
    private(set) var bytes: [UInt8]

    init(sizeLog2: UInt8, features: VirtioFeatures, base: UInt16, fragment: UInt8 = 0) {
        var choice: UInt8 = 0
        if features.contains(.eventIndex) { choice |= 1 }
        if features.contains(.indirectDescriptors) { choice |= 2 }
        bytes = [sizeLog2, choice, UInt8(base & 0xFF), UInt8(base >> 8), fragment]
    }

    mutating func append(_ operation: RingOperation, _ operands: [UInt8] = []) {
        bytes.append(operation.rawValue)
        bytes += operands
    }

    mutating func append(_ operation: RingOperation, word: Int) {
        append(operation, [UInt8(word & 0xFF), UInt8(word >> 8 & 0xFF)])
    }

    /// Appends an operation with operands of a random value, as many as it takes.
    mutating func append(_ operation: RingOperation, random: inout SplitMix64) {
        var operands: [UInt8] = []
        func more(_ count: Int) {
            for _ in 0..<count { operands.append(UInt8.random(in: 0...255, using: &random)) }
        }
        switch operation {
        case .addReadable, .addWritable: more(5)
        case .addPair: more(9)
        case .addDirect, .addIndirect:
            let counts = UInt8.random(in: 0...63, using: &random)
            operands = [counts]
            more(4 * max(1, Int(counts & 7) + Int(counts >> 3)))
        case .fill, .complete, .resetDriver: more(2)
        case .requestCalls, .rewind: more(1)
        case .pokeRing: more(4)
        case .pokeTable: more(10)
        case .pokeDescriptor: more(10)
        case .pokeIndex: more(3)
        case .driverPublish, .reap, .suppressCalls, .pop, .devicePublish, .suppressKicks, .requestKicks,
            .restartDevice, .loseMaps, .drain:
            break
        }
        append(operation, operands)
    }

    /// A program of `count` random operations of `operations`.
    static func random(
        seed: UInt64, sizeLog2: UInt8, features: VirtioFeatures, count: Int,
        operations: [RingOperation]
    ) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        // Bases close to the wrap, so that programs of any length cross it.
        let base = UInt16.random(in: (0xFFFF - 40)...0xFFFF, using: &random) &+ UInt16(seed & 1) &* 20
        var writer = ProgramWriter(
            sizeLog2: sizeLog2, features: features, base: base,
            fragment: UInt8.random(in: 0...2, using: &random))
        for _ in 0..<count {
            let index = Int.random(in: 0..<operations.count, using: &random)
            writer.append(operations[index], random: &random)
        }
        return writer.bytes
    }
}

extension RingOperation {
    /// What honest sides do, the usual more often than the rare.
    static let honest: [Self] = {
        let usual: [Self] = [
            .addReadable, .addWritable, .addPair, .addDirect, .addIndirect, .driverPublish, .reap, .pop,
            .complete,
            .devicePublish,
        ]
        let rare: [Self] = [
            .fill, .suppressCalls, .requestCalls, .rewind, .suppressKicks, .requestKicks, .restartDevice,
            .loseMaps, .drain, .resetDriver,
        ]
        return usual + usual + usual + usual + rare
    }()

    /// The same with pokes among them.
    static let hostile: [Self] =
        honest + [
            .pokeRing, .pokeRing, .pokeTable, .pokeTable, .pokeDescriptor, .pokeDescriptor, .pokeDescriptor,
            .pokeIndex,
        ]
}
