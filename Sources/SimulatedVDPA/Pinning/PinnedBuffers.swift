internal import IOUring
internal import Logging
internal import SystemPackage

/// Every registered buffer of a pinner, by address. Buffers may overlap: a page mapped twice is pinned twice.
///
/// Rings are added as slots run out and given back as they empty, all but the first.
struct PinnedBuffers {
    private var tables: [RegisteredBufferTable] = []
    /// Ascending by the start of the range.
    private var buffers: [PinnedBuffer] = []

    /// The longest buffer. The kernel answers no signal while it pins one, and takes seconds for a new gigabyte.
    static let pieceByteLimit: UInt64 = 64 << 20

    /// Makes the first ring, unless it is there.
    mutating func prepare() throws(IOUringError) {
        if tables.isEmpty { tables.append(try RegisteredBufferTable()) }
    }

    /// Registers the whole pages of `range` in buffers as long as they may be; all of them or none.
    mutating func hold(_ range: Range<UInt64>, logger: Logger) throws(IOUringError) {
        var pieces: [Range<UInt64>] = []
        var next = range.lowerBound
        while next < range.upperBound {
            let end = min(range.upperBound, next + Self.pieceByteLimit)
            pieces.append(next..<end)
            next = end
        }
        for buffer in try register(pieces, logger) { insert(buffer) }
    }

    /// Lets go of `range` once. What no buffer holds is passed over.
    mutating func release(_ range: Range<UInt64>, page: UInt64, logger: Logger) {
        var next = range.lowerBound
        while next < range.upperBound {
            guard let index = index(containing: next) else {
                let above = firstIndex(startingAbove: next)
                guard above < buffers.count else { return }
                next = buffers[above].range.lowerBound
                continue
            }
            let end = min(range.upperBound, buffers[index].range.upperBound)
            cut(next..<end, from: index, page: page, logger)
            next = end
        }
        dropEmptyTables()
    }

    /// Replaces a buffer by what is left of it, or by nothing.
    ///
    /// The rest is pinned before the whole is let go, so that no wanted page is ever loose. Where the kernel
    /// refuses that, the buffer stays as it is until nothing in it is wanted.
    private mutating func cut(_ hole: Range<UInt64>, from index: Int, page: UInt64, _ logger: Logger) {
        let buffer = buffers[index]
        buffers[index].wantedByteCount -= min(UInt64(hole.count), buffer.wantedByteCount)
        var rest: [PinnedBuffer] = []
        if buffers[index].wantedByteCount > 0 {
            guard buffer.wantedByteCount == UInt64(buffer.range.count) else { return }
            let pieces = PinnedPieces.rest(of: buffer.range, without: hole, page: page)
            do throws(IOUringError) {
                rest = try register(pieces, logger)
            } catch {
                logger.warning("pages stay pinned longer than they are mapped: \(error)")
                return
            }
        }
        buffers.remove(at: index)
        release(buffer, logger)
        for piece in rest { insert(piece) }
    }

    private mutating func register(
        _ pieces: [Range<UInt64>], _ logger: Logger
    ) throws(IOUringError) -> [PinnedBuffer] {
        var made: [PinnedBuffer] = []
        do throws(IOUringError) {
            for piece in pieces {
                let table = try tableWithRoom()
                made.append(PinnedBuffer(range: piece, table: table, slot: try table.register(piece)))
            }
        } catch {
            for buffer in made { release(buffer, logger) }
            throw error
        }
        return made
    }

    private func release(_ buffer: PinnedBuffer, _ logger: Logger) {
        do throws(IOUringError) {
            try buffer.table.release(slot: buffer.slot)
        } catch {
            logger.warning("\(error)")
        }
    }

    private mutating func tableWithRoom() throws(IOUringError) -> RegisteredBufferTable {
        if let table = tables.first(where: { !$0.isFull }) { return table }
        let table = try RegisteredBufferTable()
        tables.append(table)
        return table
    }

    private mutating func dropEmptyTables() {
        guard let first = tables.first, tables.count > 1 else { return }
        tables = [first] + tables.dropFirst().filter { !$0.isEmpty }
    }

    private mutating func insert(_ buffer: PinnedBuffer) {
        buffers.insert(buffer, at: firstIndex(startingAbove: buffer.range.lowerBound))
    }

    /// A buffer that holds `address`. O(log n), and one step for each buffer that begins within a piece below and does not.
    private func index(containing address: UInt64) -> Int? {
        var index = firstIndex(startingAbove: address)
        while index > 0 {
            index -= 1
            let range = buffers[index].range
            if range.contains(address) { return index }
            if address - range.lowerBound >= Self.pieceByteLimit { return nil }
        }
        return nil
    }

    private func firstIndex(startingAbove address: UInt64) -> Int {
        var low = 0
        var high = buffers.count
        while low < high {
            let middle = (low + high) / 2
            if buffers[middle].range.lowerBound <= address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
