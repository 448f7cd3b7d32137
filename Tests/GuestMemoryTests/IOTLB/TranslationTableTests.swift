import GuestMemory
import SeededRandom
import Testing

/// Host addresses in these tests are numbers only; no pointer made from them is followed.
struct TranslationTableTests {
    private func entry(
        _ first: UInt64, _ last: UInt64, host: UInt64, _ access: MemoryAccess = .readWrite
    ) throws -> TranslationEntry {
        TranslationEntry(range: try iova(first, last), host: HostAddress(rawValue: host), access: access)
    }

    /// Where a run starts and how long it is, as numbers.
    private func run(
        _ table: inout TranslationTable, _ address: UInt64, _ byteCount: UInt32,
        _ access: MemoryAccess = .read
    ) throws(TranslationFault) -> [UInt64] {
        let run = try unsafe table.run(
            at: IOVirtualAddress(rawValue: address), byteCount: byteCount, access: access
        )
        return [UInt64(UInt(bitPattern: run.baseAddress)), UInt64(run.count)]
    }

    private func contiguous(
        _ table: inout TranslationTable, _ address: UInt64, _ byteCount: UInt64,
        _ access: MemoryAccess = .read
    ) throws(TranslationFault) -> UInt64 {
        let pointer = try unsafe table.contiguous(
            at: IOVirtualAddress(rawValue: address), byteCount: ByteCount(rawValue: byteCount), access: access
        )
        return UInt64(UInt(bitPattern: pointer))
    }

    @Test("An empty table faults everywhere", arguments: [0, 1, UInt64.max])
    func empty(address: UInt64) {
        var table = TranslationTable([])
        let fault = TranslationFault(address: IOVirtualAddress(rawValue: address), access: .read)
        do throws(TranslationFault) {
            _ = try run(&table, address, 1)
            Issue.record("an empty table translated \(address)")
        } catch {
            #expect(error == fault)
        }
    }

    @Test("A run ends with the access or with the entry, whichever is first")
    func runs() throws {
        var table = try TranslationTable([
            entry(0x2000, 0x2fff, host: 0x9000), entry(0x1000, 0x1fff, host: 0x5000),
        ])
        #expect(table.count == 2)
        #expect(try run(&table, 0x1000, 16) == [0x5000, 16])
        #expect(try run(&table, 0x1ff0, 16) == [0x5ff0, 16])
        #expect(try run(&table, 0x1ff0, 17) == [0x5ff0, 16])
        #expect(try run(&table, 0x2000, .max) == [0x9000, 0x1000])
    }

    /// Where `byteCount` bytes at `address` start, if the entry that answered last has them.
    private func lastEntry(
        _ table: borrowing TranslationTable, _ address: UInt64, _ byteCount: UInt32,
        _ access: MemoryAccess = .read
    ) -> UInt? {
        unsafe table.runInLastEntry(
            at: IOVirtualAddress(rawValue: address), byteCount: byteCount, access: access
        ).map { UInt(bitPattern: $0) }
    }

    @Test("The entry that answered last answers for what it holds whole and permits, and for nothing else")
    func lastEntry() throws {
        var table = try TranslationTable([
            entry(0x1000, 0x1fff, host: 0x5000, .read), entry(0x2000, 0x2fff, host: 0x9000),
        ])
        _ = try run(&table, 0x1000, 1)
        let held = [
            lastEntry(table, 0x1000, 0x1000), lastEntry(table, 0x1ff0, 16), lastEntry(table, 0x1fff, 1),
        ]
        #expect(held == [0x5000, 0x5ff0, 0x5fff])
        let others = [
            lastEntry(table, 0xfff, 1), lastEntry(table, 0x2000, 1), lastEntry(table, 0x1ff0, 17),
            lastEntry(table, 0x1000, .max), lastEntry(table, 0x1800, 8, .write),
        ]
        #expect(others.allSatisfy { $0 == nil }, "\(others)")
        _ = try run(&table, 0x2800, 8)
        let moved = [lastEntry(table, 0x2010, 8, .write), lastEntry(table, 0x1000, 1)]
        #expect(moved == [0x9010, nil])
    }

    @Test(
        "A miss and a missing permission are faults that name the address and the access",
        arguments: [
            (0xfff, .read), (0x3000, .write), (0x1000, .write), (0x1800, .readWrite), (0x2000, .read),
        ] as [(UInt64, MemoryAccess)]
    )
    func faults(address: UInt64, access: MemoryAccess) throws {
        var table = try TranslationTable([
            entry(0x1000, 0x1fff, host: 0x5000, .read), entry(0x2000, 0x2fff, host: 0x6000, .write),
        ])
        do throws(TranslationFault) {
            _ = try run(&table, address, 8, access)
            Issue.record("no fault")
        } catch {
            #expect(error == TranslationFault(address: IOVirtualAddress(rawValue: address), access: access))
        }
    }

    @Test("Adjacent entries that continue each other in host memory are one contiguous area")
    func contiguousAcross() throws {
        var table = try TranslationTable([
            entry(0x1000, 0x1fff, host: 0x5000), entry(0x2000, 0x2fff, host: 0x6000),
            entry(0x3000, 0x3fff, host: 0x6000), entry(0x5000, 0x5fff, host: 0x8000),
        ])
        #expect(try contiguous(&table, 0x1800, 0x1800) == 0x5800)
        #expect(try contiguous(&table, 0x2fff, 1) == 0x6fff)
        let broken: [(first: UInt64, size: UInt64, at: UInt64)] = [
            (0x1800, 0x1801, 0x3000),  // the host memory jumps
            (0x3800, 0x1000, 0x4000),  // a hole
            (0x5800, 0x801, 0x6000),  // past the last entry
        ]
        for access in broken {
            do throws(TranslationFault) {
                _ = try contiguous(&table, access.first, access.size)
                Issue.record("no fault at \(access.at)")
            } catch {
                #expect(error.address.rawValue == access.at)
            }
        }
    }

    @Test("A contiguous area needs the permission in every entry it spans")
    func contiguousPermission() throws {
        var table = try TranslationTable([
            entry(0x1000, 0x1fff, host: 0x5000), entry(0x2000, 0x2fff, host: 0x6000, .read),
        ])
        #expect(try contiguous(&table, 0x1000, 0x2000, .read) == 0x5000)
        do throws(TranslationFault) {
            _ = try contiguous(&table, 0x1000, 0x2000, .readWrite)
            Issue.record("no fault")
        } catch {
            #expect(
                error == TranslationFault(address: IOVirtualAddress(rawValue: 0x2000), access: .readWrite))
        }
    }

    @Test("A contiguous area may be longer than one run can be")
    func contiguousLong() throws {
        var table = try TranslationTable([entry(0, 0x4_0000_0000, host: 0x1000)])
        #expect(try contiguous(&table, 0x10, 0x3_ffff_fff0) == 0x1010)
    }

    @Test("The top of the 64-bit space translates, and an access past it faults instead of wrapping")
    func top() throws {
        var table = try TranslationTable([
            entry(0, 0xfff, host: 0x9000), entry(.max - 0xfff, .max, host: 0x5000),
        ])
        #expect(try run(&table, .max, 1) == [0x5fff, 1])
        #expect(try run(&table, .max, 2) == [0x5fff, 1])
        do throws(TranslationFault) {
            _ = try contiguous(&table, .max, 2)
            Issue.record("wrapped around")
        } catch {
            #expect(error.address.rawValue == .max)
        }
        var identity = try TranslationTable([entry(0, .max, host: 0)])
        #expect(try run(&identity, 0x1000, .max) == [0x1000, UInt64(UInt32.max)])
        #expect(try run(&identity, .max, 7) == [.max, 1])
    }

    @Test("Whatever was looked up before, the answer is the plain search's", arguments: 0..<20)
    func oracle(seed: Int) throws {
        var random = SplitMix64(seed: seed)
        var entries: [TranslationEntry] = []
        var next = UInt64.random(in: 0..<50, using: &random)
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            let last = next + UInt64.random(in: 0..<30, using: &random)
            let access = try #require([MemoryAccess.read, .write, .readWrite].randomElement(using: &random))
            let host = UInt64.random(in: 0x1000..<0x10_0000, using: &random)
            entries.append(try entry(next, last, host: host, access))
            next = last + 1 + (random.chance(oneIn: 2) ? 0 : UInt64.random(in: 0..<20, using: &random))
        }
        let end = next + 20
        var table = TranslationTable(entries.shuffled(using: &random))
        for _ in 0..<2000 {
            let address = UInt64.random(in: 0..<end, using: &random)
            let size = UInt32.random(in: 1..<40, using: &random)
            let access = try #require([MemoryAccess.read, .write, .readWrite].randomElement(using: &random))
            let holder = entries.first { $0.range.contains(IOVirtualAddress(rawValue: address)) }
            #expect(table.entry(containing: IOVirtualAddress(rawValue: address)) == holder)
            var expected: [UInt64]?
            if let holder, holder.access.isSuperset(of: access) {
                let offset = address - holder.range.first.rawValue
                let left = holder.range.last.rawValue - address + 1
                expected = [holder.host.rawValue + offset, min(left, UInt64(size))]
            }
            #expect((try? run(&table, address, size, access)) == expected)
        }
    }

    @Test("An IOTLB's entries make a table that translates as it does")
    func fromIOTLB() throws {
        var iotlb = IOTLB()
        for page in [5, 1, 3, 2] as [UInt64] {
            try iotlb.insert(entry(page << 12, (page << 12) + 0xfff, host: (page + 16) << 12))
        }
        var table = TranslationTable(iotlb.entries)
        for address in stride(from: 0, to: 0x7000, by: 0x400) as StrideTo<UInt64> {
            let host = try? iotlb.translate(IOVirtualAddress(rawValue: address), access: .read)
            #expect((try? run(&table, address, 1))?.first == host?.rawValue)
        }
    }
}
