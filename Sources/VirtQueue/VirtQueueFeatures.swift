/// The negotiated features that change how a ring works, with virtio's bit numbers (virtio 1.2, section 6).
public struct VirtQueueFeatures: OptionSet, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt64

    /// Makes a value of its number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// A descriptor may name a table of further descriptors.
    public static let indirectDescriptors = VirtQueueFeatures(rawValue: 1 << 28)  // VIRTIO_F_INDIRECT_DESC
    /// Each side names the index at which it wants to be notified, instead of a flag.
    public static let eventIndex = VirtQueueFeatures(rawValue: 1 << 29)  // VIRTIO_F_EVENT_IDX
}
