import SystemPackage

/// Rules 39 to 67, and this project's own on batches.
extension Breaks {
    private static let page: UInt64 = 4096

    static let messages: [Case] = [
        alter(
            39, "a message answers its own length",
            Break(write: { scene, message in scene.forward(message).map { _ in message.bytes.count } })),
        message(40, "an UPDATE of nothing is EFAULT", from: .invalidArgument, to: .badAddress) { _, message in
            message.kind == 2
        },
        message(41, "type 7 succeeds", from: .badAddress, to: nil) { _, message in message.kind == 7 },
        message(42, "BATCH_END makes a space", from: .badAddress, to: nil) { _, message in message.kind == 6
        },
        message(43, "BATCH_END needs a BATCH_BEGIN", from: nil, to: .badAddress) { scene, message in
            message.kind == 6 && !scene.isInBatch
        },
        alter(
            44, "a refused UPDATE takes the first with it",
            Break(write: { scene, message in
                let answer = scene.forward(message)
                if message.kind == 2, errno(of: answer) != nil, scene.updates.contains(message) {
                    scene.forward(.invalidate(of: message))
                }
                return answer
            })),
        message(45, "an overlap of one byte is taken", from: .badAddress, to: nil) { scene, message in
            message.kind == 2 && message.iova % page != 0
        },
        message(46, "an UPDATE may wrap", from: .badAddress, to: nil) { _, message in
            message.kind == 2 && message.iova.addingReportingOverflow(message.size).overflow
        },
        ignored(47, "INVALIDATE of a part of an entry does nothing") { scene, message in
            message.kind == 3 && scene.updates.contains { $0.touches(message) && $0.size > message.size }
                && message.size > 0
        },
        message(
            48, "INVALIDATE of what is not mapped is EFAULT", from: nil, to: .badAddress,
            tied: [51: "shows that a space exists by an INVALIDATE of nothing"]
        ) { scene, message in
            message.kind == 3 && message.size > 0 && !scene.updates.contains { $0.touches(message) }
        },
        ignored(49, "INVALIDATE(0, 0) does nothing") { _, message in message.kind == 3 && message.size == 0 },
        swallowed(
            50, "IOTLB_ASID is not taken", tied: [51: "names space 1, which needs IOTLB_ASID"]
        ) { _, ioctl in ioctl.request == Number.setBackendFeatures && ioctl.value == 1 << 3 },
        message(51, "a batch takes any space", from: .badAddress, to: nil) { scene, message in
            message.kind == 2 && scene.isInBatch && message.addressSpace != 0
        },
        ignored(
            52, "BATCH_BEGIN does nothing",
            tied: [
                51: "a batch on space 0 is what refuses space 1",
                53: "the batch that a reset must not end is never begun",
                54: "an empty batch that is never begun cannot end",
            ]
        ) { _, message in message.kind == 5 },
        aroundReset(53, "a reset ends a batch") { scene, reset in
            if scene.isInBatch { scene.forward(.ofKind(6)) }
            return reset()
        },
        ignored(54, "a running device begins no batch") { scene, message in
            message.kind == 5 && scene.isRunning
        },
        alter(
            103, "a close leaves the batch open",
            Break(ioctl: { scene, ioctl in
                let answer = scene.forward(ioctl)
                if ioctl.request == Number.setOwner, scene.leftBatch { scene.forward(.ofKind(5)) }
                return answer
            })),
    ]

    static let maps: [Case] = [
        message(
            55, "an UPDATE is not taken twice, mapped or not", from: nil, to: .badAddress,
            tied: [56: "makes the same UPDATE again to show that nothing is mapped"]
        ) { scene, message in message.kind == 2 && scene.updates.contains(message) },
        message(56, "above all memory is success at IOVA 0", from: .badAddress, to: nil) { _, message in
            message.kind == 2 && message.iova == 0 && message.user > 1 << 63
        },
        message(57, "RLIMIT_MEMLOCK is not looked at", from: .badAddress, to: nil, on: pinned) { _, message in
            message.kind == 2 && message.size > 16 * page
                && !message.iova.addingReportingOverflow(message.size).overflow
        },
        ignored(58, "INVALIDATE of four pages leaves them pinned", on: pinned) { _, message in
            message.kind == 3 && message.size == 4 * page
        },
        message(59, "an inaccessible tail is taken", from: .badAddress, to: nil, on: pinned) { _, message in
            message.kind == 2 && message.size == 4 * page
        },
        message(60, "WO on read-only memory is taken", from: .badAddress, to: nil, on: pinned) { _, message in
            message.kind == 2 && message.permission == 2
        },
        message(61, "there is no limit of entries", from: .badAddress, to: nil) { scene, message in
            message.kind == 2 && scene.isInBatch && message.addressSpace == 0
        },
        swallowed(
            62, "IOTLB_PERSIST is taken and forgotten",
            tied: [65: "keeps its maps by the same acknowledgement"]
        ) { scene, ioctl in ioctl.request == Number.setBackendFeatures && ioctl.value == 1 << 8 },
        aroundReset(
            63, "a reset keeps the maps, acknowledged or not",
            tied: [65: "loses its maps once the acknowledgement is withdrawn"]
        ) { scene, reset in resetting(scene, acknowledging: scene.acknowledged | 1 << 8, reset) },
        alter(
            64, "an UPDATE right after a reset resets again",
            tied: [
                67: "maps right after a reset, too", 105: "maps right after a reset, too",
                106: "maps right after a reset, too",
            ],
            Break(write: { scene, message in
                let isFirst = scene.wasJustReset && message.kind == 2
                let answer = scene.forward(message)
                if isFirst, errno(of: answer) == nil { scene.call(Number.setStatus, 0) }
                return answer
            })),
        aroundReset(65, "IOTLB_PERSIST counts at the first UPDATE") { scene, reset in
            let counts = (scene.acknowledgedWhenMapped ?? scene.acknowledged) & 1 << 8
            return resetting(scene, acknowledging: scene.acknowledged & ~(1 << 8) | counts, reset)
        },
        aroundReset(66, "a reset leaves group 0 in space 1") { scene, reset in
            defer {
                if scene.updates.contains(where: { $0.addressSpace == 1 }) {
                    scene.call(Number.setGroupASID, 1 << 32)
                }
            }
            return reset()
        },
        alter(
            67, "the acknowledgement outlives a close",
            Break(ioctl: { scene, ioctl in
                let answer = scene.forward(ioctl)
                if ioctl.request == Number.setOwner, scene.leftAcknowledged != 0 {
                    scene.call(Number.setBackendFeatures, scene.leftAcknowledged)
                }
                return answer
            })),
        aroundReset(
            107, "a parent that keeps its maps loses them", on: "sim,parent=vduse,entries=64"
        ) { scene, reset in
            let updates = scene.updates
            for update in updates { scene.forward(.invalidate(of: update)) }
            return reset()
        },
        alter(
            68, "a reset takes the platform's maps", on: "sim,parent=platform",
            Break(ioctl: { scene, ioctl in
                if ioctl.request == Number.setStatus, ioctl.byte == 0, scene.acknowledged == 0,
                    scene.isRunning
                {
                    for update in scene.updates { scene.forward(.invalidate(of: update)) }
                }
                return scene.forward(ioctl)
            })),
        message(
            106, "INVALIDATE is refused while the device is suspended", from: nil, to: .badAddress,
            tied: [105: "removes its maps from the suspended device, too"]
        ) { scene, message in message.kind == 3 && scene.isSuspended },
    ]

    /// A reset under another acknowledgement than the client's.
    private static func resetting(
        _ scene: Scene, acknowledging features: UInt64, _ reset: () -> Result<Int32, Errno>
    ) -> Result<Int32, Errno> {
        let own = scene.acknowledged
        scene.call(Number.setBackendFeatures, features)
        defer { scene.call(Number.setBackendFeatures, own) }
        return reset()
    }
}
