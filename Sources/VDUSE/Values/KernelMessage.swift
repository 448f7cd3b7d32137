package import GuestMemory
package import Virtio

/// A message of the kernel's, read from /dev/vduse/NAME: the kernel waits for its answer, and so does whoever drives the
/// device (`vduse_dev_msg_sync`, drivers/vdpa/vdpa_user/vduse_dev.c).
///
/// `struct vduse_dev_request`: type 0, request id 4, a union from 24 on.
package struct KernelMessage: Hashable, Sendable {
    /// What is asked.
    package enum Request: Hashable, Sendable {
        /// VDUSE_GET_VQ_STATE: where does the ring of a queue stand?
        case queueState(queue: Int)
        /// VDUSE_SET_STATUS: the driver has written the status.
        case setStatus(DeviceStatus)
        /// VDUSE_UPDATE_IOTLB: what was mapped in this range is to be asked for anew.
        case updateIOTLB(AddressRange<IOVirtualAddress>)
        /// A type that API version 0 does not have, or a range that ends before it begins.
        case unknown(type: UInt32)
    }

    /// What the answer names.
    package let id: UInt32
    package let request: Request

    /// Bytes of a message, and of an answer.
    package static let byteCount = 152

    package init(id: UInt32, request: Request) {
        self.id = id
        self.request = request
    }

    /// Decodes a message; `nil` where it is not as long as one.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        let structure = KernelStructure(bytes)
        let type: UInt32 = structure.field(0)
        id = structure.field(4)
        switch type {
        case 0: request = .queueState(queue: Int(structure.field(24, UInt32.self)))
        case 1: request = .setStatus(DeviceStatus(rawValue: structure.field(24)))
        case 2:
            let range = AddressRange(
                first: IOVirtualAddress(rawValue: structure.field(24)),
                last: IOVirtualAddress(rawValue: structure.field(32)))
            request = range.map(Request.updateIOTLB) ?? .unknown(type: type)
        default: request = .unknown(type: type)
        }
    }
}

/// The answer to a message, written to /dev/vduse/NAME.
///
/// `struct vduse_dev_response`: request id 0, result 4, a union from 24 on; what is reserved must be zero.
package struct KernelAnswer: Hashable, Sendable {
    /// What is answered.
    package enum Outcome: Hashable, Sendable {
        case done
        /// A queue's next avail index.
        case queueState(queue: Int, availIndex: UInt16)
        /// What was asked is not done. A status is then what it was, and a map is refused.
        case failed
    }

    package let id: UInt32
    package let outcome: Outcome

    package init(id: UInt32, outcome: Outcome) {
        self.id = id
        self.outcome = outcome
    }

    /// The bytes that the kernel takes.
    package var bytes: [UInt8] {
        var structure = KernelStructure(byteCount: KernelMessage.byteCount)
        structure.set(0, id)
        switch outcome {
        case .done: break
        case .failed: structure.set(4, 1 as UInt32)  // VDUSE_REQ_RESULT_FAILED
        case .queueState(let queue, let availIndex):
            structure.set(24, UInt32(queue))
            structure.set(28, availIndex)
        }
        return structure.bytes
    }
}
