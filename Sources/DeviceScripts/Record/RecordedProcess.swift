internal import CLinux
internal import LinuxHost
internal import SystemPackage

/// The process whose calls are written down: what its addresses and its descriptors mean. This one, or another that this
/// one may look into.
package struct RecordedProcess: Sendable {
    /// This process.
    package static let this = Self(folder: ownFolder) { CallerBytes.readable($0, at: $1) }

    private static let ownFolder = "/proc/self"

    /// Its folder of `/proc`.
    let folder: String
    /// As many bytes as asked for at an address, up to the first that cannot be read.
    let readable: @Sendable (_ byteCount: Int, _ address: UInt) -> [UInt8]

    /// A process of a folder of `/proc`, whose memory `readable` reads.
    package init(
        folder: String, readable: @escaping @Sendable (_ byteCount: Int, _ address: UInt) -> [UInt8]
    ) {
        self.folder = folder
        self.readable = readable
    }

    /// The bytes at `address`; `nil` where not all of them can be read.
    func all(_ byteCount: Int, at address: UInt) -> [UInt8]? {
        let bytes = readable(byteCount, address)
        return bytes.count == byteCount ? bytes : nil
    }

    /// What of it has an address of `range`.
    func areas(in range: Range<UInt64>) -> [ProcessArea] {
        ProcessArea.among(KernelText.of(FilePath("\(folder)/maps")) ?? "", in: range)
    }

    /// Whether it has the descriptor `number`. Of this process the kernel is asked where there is no /proc.
    func hasDescriptor(_ number: Int32) -> Bool {
        folder == Self.ownFolder ? clinux_access_mode(number) >= 0 : descriptorInformation(number) != nil
    }

    /// What the kernel says of its descriptor `number`; `nil` where it has none.
    func descriptorInformation(_ number: Int32) -> String? {
        KernelText.of(FilePath("\(folder)/fdinfo/\(number)"))
    }

    /// The counter of the eventfd that its descriptor `number` is; `nil` where it is none, or cannot be asked.
    package func eventCount(_ number: Int32) -> UInt64? {
        guard let text = descriptorInformation(number), let word = KernelText.field("eventfd-count", in: text)
        else { return nil }
        return UInt64(word.filter { !$0.isWhitespace }, radix: 16)
    }
}
