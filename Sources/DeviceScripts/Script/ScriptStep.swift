public import GuestMemory
public import VhostVDPA

/// One thing that a script's process does.
public enum ScriptStep: Hashable, Sendable {
    // MARK: The device's file

    /// Opens the device as `file`. Answers ok, or open's errno.
    case open(file: ScriptName)
    /// Closes it.
    case close(file: ScriptName)
    /// `ioctl(2)`.
    case request(ScriptRequest, file: ScriptName, by: ScriptCaller = .process)
    /// `write(2)` of one IOTLB message. Answers ok where the kernel took it: 72 bytes, whatever the message has.
    case message(ScriptMessage, file: ScriptName)
    /// `write(2)` of these bytes.
    case write([UInt8], file: ScriptName)
    /// `write(2)` of so many bytes from an address, which may be none.
    case writeFrom(ScriptPointer, byteCount: Int, file: ScriptName)
    /// `mmap(2)` of a queue's doorbell page. Answers ok, or the errno; the page stays mapped until the script ends.
    case map(ScriptDoorbell, file: ScriptName)
    /// Writes a queue's number to its doorbell, which is mapped.
    case ring(VringIndex, file: ScriptName)

    // MARK: The process itself

    /// Makes memory: whole pages, zeroed.
    case memory(ScriptName, byteCount: ByteCount, ScriptMemoryKind)
    /// Changes what a part of memory permits: whole pages.
    case protect(ScriptName, offset: UInt64, byteCount: ByteCount, ScriptProtection)
    /// Unmaps a part of memory: whole pages. Other memory never takes their place.
    case unmap(ScriptName, offset: UInt64, byteCount: ByteCount)
    /// Writes bytes to memory.
    case store(ScriptName, offset: UInt64, bytes: [UInt8])
    /// Reads memory. Answers the bytes.
    case load(ScriptName, offset: UInt64, byteCount: Int)
    /// Makes an eventfd.
    case eventFD(ScriptName, initial: UInt64)
    /// Adds to an eventfd's counter, as a driver's kick does. Answers ok, or EAGAIN where it is full.
    case signal(ScriptName, count: UInt64)
    /// Takes an eventfd's counter. Answers it, or EAGAIN where nobody has signalled.
    case take(ScriptName)
    /// Waits until the device has done what it is going to do by itself.
    case settle
    /// Lets so many milliseconds go by.
    case pause(milliseconds: Int)
}

/// An IOTLB message, field by field, as `struct vhost_msg` or `struct vhost_msg_v2` has it: also what the kernel refuses.
public struct ScriptMessage: Hashable, Sendable {
    /// The outer type.
    public enum Version: UInt32, Hashable, Sendable {
        /// `VHOST_IOTLB_MSG`: no address space.
        case first = 1
        /// `VHOST_IOTLB_MSG_V2`.
        case second
    }
    /// The message's type (`VHOST_IOTLB_*`).
    public enum Kind: UInt8, CaseIterable, Hashable, Sendable {
        /// What the kernel sends and does not take.
        case miss = 1
        /// A new mapping.
        case update
        /// Removes mappings.
        case invalidate
        /// What the kernel sends and does not take.
        case accessFail
        /// Begins a batch.
        case batchBegin
        /// Ends it.
        case batchEnd
    }

    /// What the message asks for.
    public var kind: Kind
    /// The form it is written in.
    public var version: Version
    /// The address space.
    public var addressSpace: AddressSpaceID
    /// Where the range begins.
    public var iova: IOVirtualAddress
    /// How long it is. 0 is a length, too.
    public var size: UInt64
    /// What an UPDATE maps.
    public var memory: ScriptPointer
    /// What an UPDATE permits: 1 reading, 2 writing, 3 both.
    public var access: UInt8

    /// A message.
    public init(
        _ kind: Kind, version: Version = .second, addressSpace: AddressSpaceID = 0,
        iova: IOVirtualAddress = IOVirtualAddress(rawValue: 0), size: UInt64 = 0,
        memory: ScriptPointer = .number(HostAddress(rawValue: 0)), access: UInt8 = 0
    ) {
        self.kind = kind
        self.version = version
        self.addressSpace = addressSpace
        self.iova = iova
        self.size = size
        self.memory = memory
        self.access = access
    }
}

/// How a doorbell's page is asked for.
public struct ScriptDoorbell: Hashable, Sendable {
    /// The queue, whose page the offset is.
    public var queue: VringIndex
    /// How many bytes.
    public var byteCount: Int
    /// Whether the mapping may be read, which the kernel refuses.
    public var isReadable: Bool
    /// Whether it is MAP_SHARED, which the kernel demands.
    public var isShared: Bool

    /// A page's request.
    public init(queue: VringIndex, byteCount: Int, isReadable: Bool = false, isShared: Bool = true) {
        self.queue = queue
        self.byteCount = byteCount
        self.isReadable = isReadable
        self.isShared = isShared
    }
}
