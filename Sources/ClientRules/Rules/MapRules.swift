internal import DeviceScripts
internal import GuestMemory
internal import SystemPackage
internal import VhostVDPA

/// Rules on UPDATE, INVALIDATE and batches.
enum MapRules {
    static let all: [ClientRule] = [
        ClientRule(
            201, .maps, .error, "UPDATE never replaces a map: INVALIDATE comes first",
            reason:
                "an UPDATE that shares a byte with an entry of vhost's is refused (EEXIST, which write(2) gives as"
                + " EFAULT) and nothing changes. A reset does not remove entries, so that the maps of before it are in"
                + " the way, too, when the device has lost them.",
            advice: "send INVALIDATE for the range first, with every map that it touches in mind (rule 206)",
            source: "vhost_vdpa_process_iotlb_update, drivers/vhost/vdpa.c"
        ) { moment in
            guard let message = moment.message, message.kind == .update,
                moment.answer == .error(.badAddress), moment.caller == .process, moment.file.isOwned,
                let range = WatchedFile.range(of: message), moment.file.isInReach(range),
                let map = moment.file.maps[moment.file.space(of: message)]?.first(touching: range)
            else { return [] }
            let lost = map.lostAt.map { "; the reset of call \($0) has left it there" } ?? ""
            return moment.breach("\(range) is mapped by call \(map.call): \(map.range)\(lost)")
        },
        ClientRule(
            204, .maps, .error, "An address space is named after IOTLB_ASID is acknowledged",
            reason:
                "vhost reads a message's asid only where IOTLB_ASID is acknowledged; before, every message is for space 0.",
            advice:
                "acknowledge IOTLB_ASID (SET_BACKEND_FEATURES) before the first message that names a space",
            source: "vhost_chr_write_iter, drivers/vhost/vhost.c"
        ) { moment in
            guard let message = moment.message, message.version == .second, message.addressSpace != 0,
                !moment.file.acknowledged.contains(.iotlbASID)
            else { return [] }
            return moment.breach("asid=\(message.addressSpace) is taken for space 0")
        },
        ClientRule(
            205, .maps, .warning, "Messages have the form that was acknowledged: IOTLB_MSG_V2, IOTLB_BATCH",
            reason:
                "the kernel takes struct vhost_msg_v2 and batches unasked, but the protocol has them for those who"
                + " acknowledge them. A client that sends its maps before SET_BACKEND_FEATURES has not looked whether"
                + " batches are there either.",
            advice: "SET_BACKEND_FEATURES first, then SET_OWNER and maps; else struct vhost_msg and no batch",
            source: "VHOST_BACKEND_F_IOTLB_MSG_V2, linux/vhost_types.h"
        ) { moment in
            guard let message = moment.message, moment.isSuccess, !moment.file.hasSentUnacknowledged,
                message.isUnacknowledged(by: moment.file.acknowledged)
            else { return [] }
            return moment.breach(
                message.kind == .batchBegin && moment.file.acknowledged.contains(.messageV2)
                    ? "IOTLB_BATCH is not acknowledged" : "acknowledged is \(moment.file.acknowledged)")
        },
        ClientRule(
            206, .maps, .warning, "INVALIDATE names whole maps: what it touches goes whole",
            reason:
                "vhost removes every entry that shares a byte with the range, and splits none. What the client takes"
                + " for the rest of a map is gone from the device.",
            advice: "map in the pieces that are removed again, or UPDATE the rest once more",
            source: "vhost_vdpa_iotlb_unmap, drivers/vhost/vdpa.c"
        ) { moment in
            guard let (range, touched) = moment.removed else { return [] }
            guard let cut = touched.first(where: { !range.contains($0.range) }) else { return [] }
            return moment.breach("\(range) is a part of \(cut.range), which call \(cut.call) has mapped")
        },
        ClientRule(
            207, .maps, .error, "The memory of a ring that runs stays mapped",
            reason:
                "the device may look at the ring at any time: once the map is gone that is a DMA fault, which a parent"
                + " answers with NEEDS_RESET, or not at all.",
            advice: "SUSPEND, or reset (SET_STATUS 0), before INVALIDATE",
            source: "vhost_vdpa_general_unmap, drivers/vhost/vdpa.c; virtio 1.2, 2.1.2"
        ) { moment in
            guard moment.file.isRunning, let (_, touched) = moment.removed, let message = moment.message
            else {
                return []
            }
            return moment.file.runningAreas(in: moment.file.space(of: message)).filter { area in
                touched.contains { $0.range.overlaps(area.range) }
            }.prefix(1).map { area in
                ClientBreach(
                    call: moment.number,
                    detail: "the \(area.name) of queue \(area.queue) is at \(area.range), and the device runs"
                )
            }
        },
        ClientRule(
            208, .maps, .advice, "Memory is removed from a device that does not run",
            reason:
                "under a live device a buffer may still be in the memory; the guest alone knows. Removing what the guest"
                + " has given up (hot-unplug, a balloon) is right.",
            advice: "make sure that the guest has given the memory up, or SUSPEND before",
            source: "vhost_vdpa_general_unmap, drivers/vhost/vdpa.c"
        ) { moment in
            guard moment.file.isRunning, let (range, touched) = moment.removed, let message = moment.message,
                !touched.isEmpty
            else { return [] }
            let areas = moment.file.runningAreas(in: moment.file.space(of: message))
            guard !areas.contains(where: { area in touched.contains { $0.range.overlaps(area.range) } })
            else { return [] }
            return moment.breach("\(range), \(touched.byteCount) of maps, while the device runs")
        },
        ClientRule(
            209, .maps, .error, "No batch is open at a reset or when the device starts",
            reason:
                "a parent with set_map gets the maps at BATCH_END alone, and neither DRIVER_OK nor a reset ends a batch:"
                + " the device runs without them, and what is sent after the reset is still put off.",
            advice: "send BATCH_END before SET_STATUS, also where the client gives up",
            source: "vhost_vdpa_process_iotlb_msg, drivers/vhost/vdpa.c"
        ) { moment in
            guard moment.isReset || moment.isStart, let batch = moment.file.batch else { return [] }
            return moment.breach("the batch that call \(batch.call) began in space \(batch.space) is open")
        },
        ClientRule(
            210, .maps, .error, "Memory lies in the device's range of addresses",
            reason:
                "an UPDATE outside of what GET_IOVA_RANGE says, or one that wraps, is refused (EINVAL, which write(2) gives as"
                + " EFAULT).",
            advice: "ask GET_IOVA_RANGE and lay the memory, or the IOVAs given to it, inside",
            source: "vhost_vdpa_process_iotlb_update, drivers/vhost/vdpa.c"
        ) { moment in
            guard let message = moment.message, message.kind == .update, !moment.isSuccess, message.size > 0
            else { return [] }
            guard let range = WatchedFile.range(of: message) else {
                return moment.breach("\(message.iova) and \(message.size) bytes are more than 64 bits have")
            }
            guard !moment.file.isInReach(range), let limits = moment.file.range else { return [] }
            return moment.breach("\(range) is not in \(limits)")
        },
    ]
}

extension ClientMoment {
    /// What an INVALIDATE that was taken names and touches.
    var removed: (range: IOVARange, maps: [WatchedMap])? {
        guard let message, message.kind == .invalidate, isSuccess, let range = WatchedFile.range(of: message)
        else { return nil }
        return (range, file.maps[file.space(of: message)]?.touched(by: range) ?? [])
    }
}

extension WatchedFile {
    /// Whether the device can have addresses of all of `range`, as far as that is known.
    func isInReach(_ other: IOVARange) -> Bool { range?.contains(other) ?? true }

    /// The areas of the rings that the device looks at, translated with `space`.
    func runningAreas(in space: AddressSpaceID) -> [(queue: VringIndex, name: String, range: IOVARange)] {
        queues.sorted { $0.key < $1.key }.filter { index, queue in
            guard queue.isEnabled, queue.startedAt != nil else { return false }
            guard let group = groups[index] else { return spaces.isEmpty ? space == 0 : true }
            return (spaces[group] ?? 0) == space
        }.flatMap { index, queue in
            queue.areas(isPacked: isPacked).map { (index, $0.name, $0.range) }
        }
    }
}
