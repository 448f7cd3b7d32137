import CLinux
import GuestMemory
import SystemPackage
import TestSupport
import VhostVDPA
import Virtio

/// A character device that writes down every call in one line, answers like a network device of three queues,
/// and fails the calls it is told to fail.
///
/// It holds vhost's table and the device's apart, as a parent with `set_map` does, so that a test can see what
/// the device would translate with.
@safe
final class RecordingDevice: DeviceDouble, RefusalReporting {
    /// Every call since the last ``takeTrace()``.
    private(set) var trace: [String] = []
    /// Every call ever, to number them.
    private(set) var callCount = 0
    private(set) var isClosed = false

    var features: VirtioFeatures = [.version1, .accessPlatform, .mac, .status, .controlQueue]
    var backendFeatures = BackendFeatures(rawValue: 0x17e)
    var iovaRange = (first: UInt64(0), last: UInt64.max)
    /// What a status write is turned into: a device may refuse FEATURES_OK.
    var acceptsFeatures = true
    /// Bits the device has set of its own accord.
    var extraStatus: DeviceStatus = []
    /// The position the device stands at, by queue.
    var bases: [UInt32: UInt32] = [:]
    /// Says of each call, by its trace line, whether it fails.
    var failure: (String) -> Errno? = { _ in nil }
    /// The reason that it gives for a refusal, beside the errno; the kernel gives none.
    var lastRefusal: String?
    /// Whether `set_map` fails and leaves the device with an empty table.
    var setMapFails = false

    private(set) var status: DeviceStatus = []
    private(set) var acknowledged: BackendFeatures = []
    /// vhost's own table.
    private(set) var table: [TranslationEntry] = []
    /// The device's table.
    private(set) var deviceTable: [TranslationEntry] = []
    /// Whether a batch was begun and not ended: nothing that is sent then reaches the device.
    private(set) var isInBatch = false

    /// The calls since this was last called.
    func takeTrace() -> [String] {
        defer { trace = [] }
        return trace
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        trace.append("close")
    }

    private func record(_ line: String) throws(Errno) {
        guard !isClosed else { throw .badFileDescriptor }
        callCount += 1
        trace.append(line)
        if let errno = failure(line) { throw errno }
    }

    // MARK: ioctl

    func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        let memory = unsafe UnsafeMutableRawPointer(bitPattern: argument)
        func value<Value: BitwiseCopyable>(_ type: Value.Type) -> Value {
            guard let memory = unsafe memory else { fatalError("the request takes an argument") }
            return unsafe memory.loadUnaligned(as: type)
        }
        func answer<Value: BitwiseCopyable>(_ value: Value) {
            unsafe memory?.storeBytes(of: value, as: Value.self)
        }
        func state() -> vhost_vring_state { value(vhost_vring_state.self) }
        switch request {
        case clinux_vdpa_get_device_id:
            try record("GET_DEVICE_ID")
            answer(UInt32(1))
        case clinux_vhost_get_features:
            try record("GET_FEATURES")
            answer(features.low)
        case clinux_vhost_set_features: try record("SET_FEATURES 0x\(hex(value(UInt64.self)))")
        case clinux_vhost_get_backend_features:
            try record("GET_BACKEND_FEATURES")
            answer(backendFeatures.rawValue)
        case clinux_vhost_set_backend_features:
            try record("SET_BACKEND_FEATURES 0x\(hex(value(UInt64.self)))")
            acknowledged = BackendFeatures(rawValue: value(UInt64.self))
        case clinux_vhost_set_owner: try record("SET_OWNER")
        case clinux_vdpa_get_status:
            try record("GET_STATUS")
            answer(status.union(extraStatus).rawValue)
        case clinux_vdpa_set_status: try setStatus(DeviceStatus(rawValue: value(UInt8.self)))
        case clinux_vdpa_suspend: try record("SUSPEND")
        case clinux_vdpa_resume: try record("RESUME")
        case clinux_vdpa_get_vqs_count:
            try record("GET_VQS_COUNT")
            answer(UInt32(3))
        case clinux_vdpa_get_group_num:
            try record("GET_GROUP_NUM")
            answer(UInt32(2))
        case clinux_vdpa_get_as_num:
            try record("GET_AS_NUM")
            answer(UInt32(2))
        case clinux_vdpa_get_vring_num:
            try record("GET_VRING_NUM")
            answer(UInt16(256))
        case clinux_vdpa_get_iova_range:
            try record("GET_IOVA_RANGE")
            answer(vhost_vdpa_iova_range(first: iovaRange.first, last: iovaRange.last))
        case clinux_vdpa_get_config_size:
            try record("GET_CONFIG_SIZE")
            answer(UInt32(8))
        case clinux_vdpa_get_config:
            guard let memory = unsafe memory else { throw .badAddress }
            let (offset, count) = unsafe (value(UInt32.self), (memory + 4).loadUnaligned(as: UInt32.self))
            try record("GET_CONFIG \(offset) \(count)")
            for index in 0..<Int(count) {
                unsafe (memory + 8 + index).storeBytes(of: UInt8(index), as: UInt8.self)
            }
        case clinux_vhost_set_vring_num: try record("SET_VRING_NUM \(state().index) \(state().num)")
        case clinux_vhost_set_vring_base: try record("SET_VRING_BASE \(state().index) \(state().num)")
        case clinux_vhost_get_vring_base:
            try record("GET_VRING_BASE \(state().index)")
            answer(vhost_vring_state(index: state().index, num: bases[state().index] ?? 0))
        case clinux_vdpa_set_vring_enable: try record("SET_VRING_ENABLE \(state().index) \(state().num)")
        case clinux_vhost_set_vring_addr:
            let address = value(vhost_vring_addr.self)
            let areas = [address.desc_user_addr, address.avail_user_addr, address.used_user_addr]
            try record(
                "SET_VRING_ADDR \(address.index) \(areas.map { "0x\(hex($0))" }.joined(separator: " "))")
        case clinux_vhost_set_vring_kick: try record("SET_VRING_KICK \(value(vhost_vring_file.self).index)")
        case clinux_vhost_set_vring_call: try record("SET_VRING_CALL \(value(vhost_vring_file.self).index)")
        case clinux_vdpa_set_config_call: try record("SET_CONFIG_CALL")
        default: throw .inappropriateIOCTLForDevice
        }
        return 0
    }

    private func setStatus(_ new: DeviceStatus) throws(Errno) {
        try record("SET_STATUS 0x\(hex(new.rawValue))")
        guard new.isEmpty || new.isSuperset(of: status) else { throw .invalidArgument }
        status = acceptsFeatures ? new : new.subtracting(.featuresOK)
        guard new.isEmpty else { return }
        extraStatus = []
        if !acknowledged.contains(.iotlbPersist) { deviceTable = [] }
    }

    // MARK: IOTLB messages

    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        guard bytes.count == 72 else { throw .invalidArgument }
        let message = unsafe bytes.loadUnaligned(as: vhost_msg_v2.self)
        let body = message.iotlb
        switch Int32(body.type) {
        case VHOST_IOTLB_UPDATE: try update(body)
        case VHOST_IOTLB_INVALIDATE:
            let last = body.iova &+ body.size &- 1
            let isAll = body.iova == 0 && body.size == 0
            try record(isAll ? "INVALIDATE all" : "INVALIDATE 0x\(hex(body.iova))-0x\(hex(last))")
            table.removeAll {
                isAll || $0.range.first.rawValue <= last && body.iova <= $0.range.last.rawValue
            }
            if !isInBatch { _ = setMap() }
        case VHOST_IOTLB_BATCH_BEGIN:
            try record("BATCH_BEGIN")
            isInBatch = true
        case VHOST_IOTLB_BATCH_END:
            try record("BATCH_END")
            isInBatch = false
            _ = setMap()
        default: throw .badAddress
        }
        return 72
    }

    private func update(_ body: vhost_iotlb_msg) throws(Errno) {
        guard
            let range = IOVARange(
                first: .init(rawValue: body.iova), byteCount: ByteCount(rawValue: body.size))
        else { throw .invalidArgument }
        let access = MemoryAccess(rawValue: body.perm)
        try record("UPDATE \(range.first)-\(range.last) \(access == .read ? "RO" : "RW")")
        guard !table.contains(where: { $0.range.overlaps(range) }) else { throw .badAddress }
        table.append(TranslationEntry(range: range, host: .init(rawValue: body.uaddr), access: access))
        guard !isInBatch else { return }
        guard setMap() else {
            table.removeLast()
            throw .badAddress
        }
    }

    /// The parent's `set_map`: whether the device took the table.
    private func setMap() -> Bool {
        deviceTable = setMapFails ? [] : table
        return !setMapFails
    }
}

private func hex(_ value: some BinaryInteger) -> String { String(value, radix: 16) }
