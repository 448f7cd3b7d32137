internal import CLinux
internal import GuestMemory
internal import Virtio

/// What logs and errors show of an `ioctl(2)`, read from the value that its argument points at.
///
/// Made of the raw call and not by whoever makes it, so that a call that nobody logs carries nothing for it.
enum DeviceCallText {
    /// The call with its arguments: `SET_VRING_NUM(index: 0, num: 256)`.
    static func call(_ request: UInt, _ argument: UInt) -> String {
        "\(name(of: request))(\(arguments(request, argument)))"
    }

    /// What came of it: what was asked for, else the number that the kernel returned.
    static func answer(_ request: UInt, _ argument: UInt, _ result: Int32) -> String {
        switch request {
        case clinux_vhost_get_features: "\(VirtioFeatures(low: value(argument, 0)))"
        case clinux_vhost_get_backend_features: "\(BackendFeatures(rawValue: value(argument, 0)))"
        case clinux_vdpa_get_status: "\(DeviceStatus(rawValue: value(argument, UInt8(0))))"
        case clinux_vdpa_get_vring_num: "\(value(argument, UInt16(0)))"
        case clinux_vdpa_get_device_id, clinux_vdpa_get_config_size, clinux_vdpa_get_vqs_count,
            clinux_vdpa_get_as_num, clinux_vdpa_get_group_num:
            "\(value(argument, UInt32(0)))"
        case clinux_vdpa_get_iova_range: range(value(argument, vhost_vdpa_iova_range()))
        case clinux_vhost_get_vring_base, clinux_vdpa_get_vring_size, clinux_vdpa_get_vring_group,
            clinux_vdpa_get_vring_desc_group:
            "\(value(argument, vhost_vring_state()).num)"
        case clinux_vdpa_get_config: hexadecimal(configuration(argument).bytes)
        default: "\(result)"
        }
    }

    private static func arguments(_ request: UInt, _ argument: UInt) -> String {
        switch request {
        case clinux_vhost_set_features: "\(VirtioFeatures(low: value(argument, 0)))"
        case clinux_vhost_set_backend_features: "\(BackendFeatures(rawValue: value(argument, 0)))"
        case clinux_vdpa_set_status: "\(DeviceStatus(rawValue: value(argument, UInt8(0))))"
        case clinux_vdpa_set_config_call: "fd: \(value(argument, Int32(0)))"
        case clinux_vhost_get_vring_base, clinux_vdpa_get_vring_size, clinux_vdpa_get_vring_group,
            clinux_vdpa_get_vring_desc_group:
            "index: \(value(argument, vhost_vring_state()).index)"
        case clinux_vhost_set_vring_num, clinux_vhost_set_vring_base, clinux_vdpa_set_vring_enable:
            state(value(argument, vhost_vring_state()))
        case clinux_vdpa_set_group_asid: group(value(argument, vhost_vring_state()))
        case clinux_vhost_set_vring_addr: address(value(argument, vhost_vring_addr()))
        case clinux_vhost_set_vring_kick, clinux_vhost_set_vring_call, clinux_vhost_set_vring_err:
            file(value(argument, vhost_vring_file()))
        case clinux_vdpa_get_config: configurationRead(configuration(argument))
        case clinux_vdpa_set_config: configurationWrite(configuration(argument))
        default: ""
        }
    }

    /// The kernel's name, without what all of them begin with.
    private static func name(of request: UInt) -> String {
        switch request {
        case clinux_vhost_get_features: "GET_FEATURES"
        case clinux_vhost_set_features: "SET_FEATURES"
        case clinux_vhost_set_owner: "SET_OWNER"
        case clinux_vhost_set_vring_num: "SET_VRING_NUM"
        case clinux_vhost_set_vring_addr: "SET_VRING_ADDR"
        case clinux_vhost_set_vring_base: "SET_VRING_BASE"
        case clinux_vhost_get_vring_base: "GET_VRING_BASE"
        case clinux_vhost_set_vring_kick: "SET_VRING_KICK"
        case clinux_vhost_set_vring_call: "SET_VRING_CALL"
        case clinux_vhost_set_vring_err: "SET_VRING_ERR"
        case clinux_vhost_set_backend_features: "SET_BACKEND_FEATURES"
        case clinux_vhost_get_backend_features: "GET_BACKEND_FEATURES"
        case clinux_vdpa_get_device_id: "GET_DEVICE_ID"
        case clinux_vdpa_get_status: "GET_STATUS"
        case clinux_vdpa_set_status: "SET_STATUS"
        case clinux_vdpa_set_vring_enable: "SET_VRING_ENABLE"
        case clinux_vdpa_get_vring_num: "GET_VRING_NUM"
        case clinux_vdpa_set_config_call: "SET_CONFIG_CALL"
        case clinux_vdpa_get_iova_range: "GET_IOVA_RANGE"
        case clinux_vdpa_get_config_size: "GET_CONFIG_SIZE"
        case clinux_vdpa_get_config: "GET_CONFIG"
        case clinux_vdpa_set_config: "SET_CONFIG"
        case clinux_vdpa_get_as_num: "GET_AS_NUM"
        case clinux_vdpa_get_vring_group: "GET_VRING_GROUP"
        case clinux_vdpa_set_group_asid: "SET_GROUP_ASID"
        case clinux_vdpa_suspend: "SUSPEND"
        case clinux_vdpa_resume: "RESUME"
        case clinux_vdpa_get_vqs_count: "GET_VQS_COUNT"
        case clinux_vdpa_get_group_num: "GET_GROUP_NUM"
        case clinux_vdpa_get_vring_desc_group: "GET_VRING_DESC_GROUP"
        case clinux_vdpa_get_vring_size: "GET_VRING_SIZE"
        default: "0x\(String(request, radix: 16))"
        }
    }

    private static func state(_ value: vhost_vring_state) -> String {
        "index: \(value.index), num: \(value.num)"
    }

    private static func group(_ value: vhost_vring_state) -> String {
        "group: \(value.index), asid: \(value.num)"
    }

    private static func file(_ value: vhost_vring_file) -> String { "index: \(value.index), fd: \(value.fd)" }

    private static func address(_ value: vhost_vring_addr) -> String {
        let areas = [value.desc_user_addr, value.avail_user_addr, value.used_user_addr]
            .map { "\(IOVirtualAddress(rawValue: $0))" }
        return "index: \(value.index), desc: \(areas[0]), avail: \(areas[1]), used: \(areas[2])"
    }

    private static func range(_ value: vhost_vdpa_iova_range) -> String {
        "[0x\(String(value.first, radix: 16)), 0x\(String(value.last, radix: 16))]"
    }

    private static func configurationRead(_ part: (offset: UInt32, bytes: [UInt8])) -> String {
        "offset: \(part.offset), length: \(part.bytes.count)"
    }

    private static func configurationWrite(_ part: (offset: UInt32, bytes: [UInt8])) -> String {
        "offset: \(part.offset), bytes: \(hexadecimal(part.bytes))"
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// A `struct vhost_vdpa_config`: offset, length and as many bytes behind them.
    private static func configuration(_ argument: UInt) -> (offset: UInt32, bytes: [UInt8]) {
        guard let pointer = unsafe UnsafeRawPointer(bitPattern: argument) else { return (0, []) }
        let offset = unsafe pointer.loadUnaligned(as: UInt32.self)
        let count = unsafe pointer.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        return (offset, unsafe Array(UnsafeRawBufferPointer(start: pointer + 8, count: Int(count))))
    }

    /// What `argument` points at; `nothing` where it is no address.
    private static func value<Value: BitwiseCopyable>(_ argument: UInt, _ nothing: Value) -> Value {
        guard let pointer = unsafe UnsafeRawPointer(bitPattern: argument) else { return nothing }
        return unsafe pointer.loadUnaligned(as: Value.self)
    }
}
