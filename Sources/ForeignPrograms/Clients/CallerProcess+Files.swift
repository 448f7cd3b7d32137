internal import CLinux
internal import LinuxHost
internal import SimulatedVDPA
internal import SystemPackage

extension CallerProcess {
    /// The string at `address`, unless it is longer than `limit` bytes or cannot be read. A page that ends is no reason:
    /// bytes are asked for up to the next one at a time.
    func path(at address: UInt, atMost limit: Int) -> String? {
        var bytes: [UInt8] = []
        while bytes.count < limit {
            let next = address &+ UInt(bytes.count)
            let count = min(limit - bytes.count, 4096 - Int(next % 4096))
            guard let more = try? copy(at: next, count: count) else { return nil }
            if let end = more.firstIndex(of: 0) {
                return String(decoding: bytes + more[..<end], as: UTF8.self)
            }
            bytes += more
        }
        return nil
    }

    /// The pieces that `count` records of `struct iovec` at `address` name: EINVAL for more than the kernel takes, and for a
    /// piece that is longer than any memory.
    func pieces(at address: UInt, count: Int) throws(Errno) -> [CallerPiece] {
        guard 0...1024 ~= count else { throw .invalidArgument }  // UIO_MAXIOV
        let words = try copy(at: address, count: 16 * count)
        return try (0..<count).map { (index) throws(Errno) in
            let length = Int(bitPattern: UInt(words.word(at: 16 * index + 8)))
            guard length >= 0 else { throw .invalidArgument }
            return CallerPiece(address: UInt(words.word(at: 16 * index)), byteCount: length)
        }
    }

    /// Whether it has the descriptor `number`.
    func hasDescriptor(_ number: Int32) -> Bool {
        unsafe "\(folder)/fd/\(number)".withCString { unsafe clinux_is_link($0) == 1 }
    }

    /// The numbers of its descriptors.
    var descriptors: [Int32] {
        ((try? FolderListing.names(FilePath("\(folder)/fd"))) ?? []).compactMap { Int32($0) }
    }

    /// The first byte of the lock that the file of its descriptor `number` holds, if that is a lock of an open file.
    func lockedByte(_ number: Int32) -> UInt64? {
        for line in (KernelText.of(FilePath("\(folder)/fdinfo/\(number)")) ?? "").split(separator: "\n")
        where line.hasPrefix("lock:") && line.contains("OFDLCK") {
            let words = line.split { $0.isWhitespace }
            guard words.count >= 2 else { continue }
            return UInt64(words[words.count - 2])
        }
        return nil
    }
}

extension [UInt8] {
    /// The 64 bits at `offset`, lowest byte first, as x86 has them.
    fileprivate func word(at offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(self[offset + $1]) << (8 * $1) }
    }
}
