internal import DeviceScripts
internal import VhostVDPA

/// Rules on groups and address spaces.
enum SpaceRules {
    static let all: [ClientRule] = [
        ClientRule(
            222, .spaces, .error, "A group is given a space by SET_GROUP_ASID, not by GET_VRING_GROUP",
            reason:
                "GET_VRING_GROUP answers the group of a queue and ignores the number that it is given: it succeeds, and the"
                + " group stays in space 0.",
            advice: "VHOST_VDPA_SET_GROUP_ASID is 0x4008af7c; 0xc008af7b is VHOST_VDPA_GET_VRING_GROUP",
            source: "vhost_vdpa_vring_ioctl, drivers/vhost/vdpa.c; linux/vhost.h"
        ) { moment in
            moment.unusedSpaces.compactMap { space in
                guard let call = moment.file.groupNumbers[space] else { return nil }
                return ClientBreach(
                    call: call,
                    detail: "space \(space) has maps, and no group was given it by call \(moment.number)")
            }
        },
        ClientRule(
            223, .spaces, .error, "A space that has maps has a group, after each reset anew",
            reason:
                "a reset puts every group back to space 0 (vdpa_sim, mlx5): the queues are translated with the maps of"
                + " that, or with none.",
            advice: "SET_GROUP_ASID after each reset and before DRIVER_OK; from Linux 7.2 on later is EBUSY",
            source: "vdpasim_do_reset, drivers/vdpa/vdpa_sim/vdpa_sim.c; mlx5_vdpa_compat_reset"
        ) { moment in
            moment.unusedSpaces.filter { moment.file.groupNumbers[$0] == nil }.map { space in
                ClientBreach(call: moment.number, detail: "space \(space) has maps, and no group is in it")
            }
        },
    ]
}

extension ClientMoment {
    /// The spaces beside 0 that have maps and no group when the device starts. Where a group was put into space 0 on purpose
    /// the maps of the one that it was in may be left for later.
    fileprivate var unusedSpaces: [AddressSpaceID] {
        guard isStart, !file.spaces.values.contains(0) else { return [] }
        return file.maps.filter { space, maps in
            space != 0 && !maps.all.isEmpty && !file.spaces.values.contains(space)
        }.keys.sorted { $0.rawValue < $1.rawValue }
    }
}
