internal import DeviceScripts
internal import GuestMemory
internal import VhostVDPA

/// Rules on what a reset leaves of maps.
enum PersistenceRules {
    static let all: [ClientRule] = [
        ClientRule(
            202, .persistence, .error,
            "Without IOTLB_PERSIST maps are made again after a reset",
            reason:
                "a reset without the acknowledgement may take the device's maps (compat_reset with CLEAN_MAP; before"
                + " Linux 6.7 the parent's own reset) and leaves vhost's entries: the device faults on addresses that"
                + " vhost holds for mapped. A platform's IOMMU keeps them, mlx5, vdpa_sim and others do not.",
            advice:
                "acknowledge IOTLB_PERSIST where GET_BACKEND_FEATURES offers it; elsewhere INVALIDATE and UPDATE every"
                + " map between the reset and DRIVER_OK",
            source: "_compat_vdpa_reset, drivers/vhost/vdpa.c"
        ) { moment in
            moment.breachOfLostMaps(wasAcknowledged: false)
        },
        ClientRule(
            203, .persistence, .error, "IOTLB_PERSIST is acknowledged when the device is reset",
            reason:
                "what counts is the acknowledgement at the moment of SET_STATUS 0: one that comes later, or that another"
                + " SET_BACKEND_FEATURES has replaced, keeps nothing.",
            advice: "acknowledge IOTLB_PERSIST once, before the first reset with maps, and name it in every"
                + " SET_BACKEND_FEATURES",
            source: "_compat_vdpa_reset, vhost_vdpa_unlocked_ioctl, drivers/vhost/vdpa.c"
        ) { moment in
            moment.breachOfLostMaps(wasAcknowledged: true)
        },
        ClientRule(
            225, .persistence, .advice, "IOTLB_PERSIST is used where it is offered",
            reason:
                "with it a reset keeps the maps, and a stop and start sends none. Without it all memory is unpinned and"
                + " pinned again each time, which takes time in proportion to it (docs/benchmarks.md).",
            advice:
                "acknowledge IOTLB_PERSIST and send nothing at a stop and start; keep the maps as long as the file is open",
            source: "VHOST_BACKEND_F_IOTLB_PERSIST, linux/vhost_types.h"
        ) { moment in
            let file = moment.file
            guard moment.isStart, file.startCount > 0, file.offered?.contains(.iotlbPersist) == true,
                !file.acknowledged.contains(.iotlbPersist), !file.removed.isEmpty, !file.added.isEmpty
            else { return [] }
            return moment.breach(
                "since the device ran last \(file.removed.byteCount) in \(file.removed.count) maps went and"
                    + " \(file.added.byteCount) in \(file.added.count) maps came")
        },
    ]
}

extension ClientMoment {
    /// The maps that the device may have lost and that it starts with all the same.
    fileprivate func breachOfLostMaps(wasAcknowledged: Bool) -> [ClientBreach] {
        guard isStart, file.hasAcknowledgedPersist == wasAcknowledged else { return [] }
        let lost = file.standingMaps.filter { $0.lostAt != nil }
        guard let first = lost.min(by: { $0.call < $1.call }), let reset = first.lostAt else { return [] }
        return breach(
            "\(lost.byteCount) in \(lost.count) maps, the first of call \(first.call): \(first.range); the reset of call"
                + " \(reset) may have taken them")
    }
}
