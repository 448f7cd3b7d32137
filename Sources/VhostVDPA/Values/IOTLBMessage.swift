internal import CLinux
public import GuestMemory

/// One message that `write(2)` carries to vhost-vdpa: a change of an address space's translations.
public struct IOTLBMessage: Hashable, Sendable {
    /// What the message asks for.
    public enum Operation: Hashable, Sendable {
        /// A new mapping. The kernel refuses one that overlaps another, whatever it says.
        case update(TranslationEntry)
        /// Removes every mapping that touches the range, whole.
        case invalidate(IOVARange)
        /// Removes every mapping of the space.
        case invalidateAll
        /// Defers `set_map` until the batch ends. Only parents with `set_map` have something to defer.
        case batchBegin
        /// Hands the whole space to the device. The kernel does not say whether the device took it.
        case batchEnd
    }

    /// What the message asks for.
    public let operation: Operation
    /// The kernel reads it only where IOTLB_ASID is acknowledged.
    public let addressSpace: AddressSpaceID

    /// A message for `addressSpace`.
    public init(_ operation: Operation, addressSpace: AddressSpaceID = 0) {
        self.operation = operation
        self.addressSpace = addressSpace
    }

    /// The message as the kernel takes it.
    ///
    /// A range of the whole 64-bit space goes out with size 0, the only number 64 bits leave for it; the kernel
    /// takes that as "all" in an INVALIDATE at 0 and refuses it in an UPDATE.
    var encoded: vhost_msg_v2 {
        var message = vhost_msg_v2()
        message.type = UInt32(VHOST_IOTLB_MSG_V2)
        message.asid = addressSpace.rawValue
        switch operation {
        case .update(let entry):
            message.iotlb.type = UInt8(VHOST_IOTLB_UPDATE)
            message.iotlb.iova = entry.range.first.rawValue
            message.iotlb.size = entry.range.byteCount?.rawValue ?? 0
            message.iotlb.uaddr = entry.host.rawValue
            message.iotlb.perm = entry.access.rawValue
        case .invalidate(let range):
            message.iotlb.type = UInt8(VHOST_IOTLB_INVALIDATE)
            message.iotlb.iova = range.first.rawValue
            message.iotlb.size = range.byteCount?.rawValue ?? 0
        case .invalidateAll: message.iotlb.type = UInt8(VHOST_IOTLB_INVALIDATE)
        case .batchBegin: message.iotlb.type = UInt8(VHOST_IOTLB_BATCH_BEGIN)
        case .batchEnd: message.iotlb.type = UInt8(VHOST_IOTLB_BATCH_END)
        }
        return message
    }
}

extension IOTLBMessage: CustomStringConvertible {
    /// The message as logs and errors show it, as `UPDATE(asid: 0, iova: [0x0, 0xfff], host: 0x7f…, access: RW)`.
    public var description: String {
        switch operation {
        case .update(let entry):
            "UPDATE(asid: \(addressSpace), iova: \(entry.range), host: \(entry.host), access: \(accessName(entry.access)))"
        case .invalidate(let range): "INVALIDATE(asid: \(addressSpace), iova: \(range))"
        case .invalidateAll: "INVALIDATE(asid: \(addressSpace), all)"
        case .batchBegin: "BATCH_BEGIN(asid: \(addressSpace))"
        case .batchEnd: "BATCH_END(asid: \(addressSpace))"
        }
    }

    private func accessName(_ access: MemoryAccess) -> String {
        switch access {
        case .read: "RO"
        case .write: "WO"
        case .readWrite: "RW"
        default: "\(access.rawValue)"
        }
    }
}
