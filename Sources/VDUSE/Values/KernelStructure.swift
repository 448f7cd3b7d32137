/// A structure of the kernel's interface as its bytes, with fields by offset (include/uapi/linux/vduse.h; the offsets are
/// asserted in CLinux). In the order of bytes of this machine, which for every machine that emu runs on is little endian.
struct KernelStructure {
    private(set) var bytes: [UInt8]

    /// `byteCount` zeros.
    init(byteCount: Int) { bytes = [UInt8](repeating: 0, count: byteCount) }

    /// What the kernel wrote.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads a field, which lies within the structure.
    func field<Field: FixedWidthInteger & UnsignedInteger>(_ offset: Int, _: Field.Type = Field.self) -> Field
    {
        bytes[offset..<offset + Field.bitWidth / 8].reversed().reduce(0) { $0 << 8 | Field($1) }
    }

    /// Writes a field, which lies within the structure.
    mutating func set(_ offset: Int, _ value: some FixedWidthInteger & UnsignedInteger) {
        for index in 0..<value.bitWidth / 8 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
        }
    }

    /// Writes bytes from `offset` on.
    mutating func set(_ offset: Int, bytes new: some Collection<UInt8>) {
        bytes.replaceSubrange(offset..<offset + new.count, with: new)
    }

    /// Runs `body` with the address of the bytes, which the kernel may change.
    mutating func withAddress<Answer>(_ body: (UInt) -> Answer) -> Answer {
        unsafe bytes.withUnsafeMutableBytes { body(UInt(bitPattern: $0.baseAddress)) }
    }
}
