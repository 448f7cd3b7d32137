internal import DeviceScripts
internal import GuestMemory
internal import VhostVDPA
internal import Virtio

/// Rules on where rings are, and where they go on.
enum RingRules {
    static let all: [ClientRule] = [
        ClientRule(
            211, .rings, .error, "A queue is enabled when its size and its addresses are set",
            reason:
                "a parent may take the ring as it is told of it when the queue is made ready: vdpa_sim makes its ring of"
                + " the addresses of that moment, so that one without stays dead. A reset forgets the addresses.",
            advice:
                "SET_VRING_NUM, SET_VRING_BASE and SET_VRING_ADDR, then SET_VRING_ENABLE, after each reset anew",
            source: "vdpasim_set_vq_ready, drivers/vdpa/vdpa_sim/vdpa_sim.c; virtio 1.2, 4.1.5.1.3"
        ) { moment in
            guard let (index, number) = moment.state(of: "SET_VRING_ENABLE"), number != 0, moment.isSuccess
            else { return [] }
            let queue = moment.file.queues[index] ?? WatchedQueue()
            guard !queue.isEnabled, queue.addresses == nil || queue.size == nil else { return [] }
            let what = queue.addresses == nil ? "no address since the last reset" : "no size"
            return moment.breach("queue \(index) has been given \(what)")
        },
        ClientRule(
            212, .rings, .advice, "A queue is enabled when its ring is mapped",
            reason:
                "before DRIVER_OK no parent of the kernel's looks at a ring, so that maps may come between the two. One"
                + " that looks when the queue is made ready finds nothing.",
            advice: "send the maps first, then SET_VRING_ENABLE",
            source: "vhost_vdpa_vring_ioctl, drivers/vhost/vdpa.c"
        ) { moment in
            moment.startedQueues.compactMap { index in
                guard let enabled = moment.file.queues[index]?.enabledUnmapped,
                    moment.file.firstGap(of: index) == nil
                else { return nil }
                return ClientBreach(call: enabled.call, detail: enabled.detail)
            }
        },
        ClientRule(
            213, .rings, .error, "A ring that runs is mapped where its addresses say",
            reason:
                "addresses are IOVAs: the device translates them with the maps of its queue's space when it is kicked at"
                + " the latest, and what no map has is a DMA fault.",
            advice:
                "UPDATE the memory of the rings, whole, before DRIVER_OK, and give the rings by the same IOVAs",
            source: "vhost_vdpa_set_vring_addr, drivers/vhost/vdpa.c; virtio 1.2, 2.7"
        ) { moment in
            moment.gaps { file, index, address in file.maps(of: index).map(ofMemoryAt: address) == nil }
        },
        ClientRule(
            214, .rings, .error, "A ring is given by IOVAs, not by the client's own addresses",
            reason:
                "SET_VRING_ADDR of vhost-vdpa takes what the device is to translate; for vhost-net and vhost-user it was an"
                + " address of the process. Where IOVAs are physical addresses (DPDK's IOVA=PA) the two differ.",
            advice: "give the IOVA under which UPDATE has mapped the ring (DPDK: --iova-mode=va)",
            source: "vhost_vdpa_vring_ioctl, drivers/vhost/vdpa.c; vhost_vring_addr, linux/vhost_types.h"
        ) { moment in
            moment.gaps { file, index, address in file.maps(of: index).map(ofMemoryAt: address) != nil }
        },
        ClientRule(
            215, .rings, .error, "A ring goes on where the device said that it stood",
            reason:
                "a reset forgets the position. At another one the device takes buffers again that it has used, or waits"
                + " for the driver to come round: frames go twice, or none comes any more.",
            advice:
                "SUSPEND, GET_VRING_BASE, reset, and SET_VRING_BASE with that number; 0 where the driver has made the"
                + " ring anew",
            source: "VHOST_GET_VRING_BASE, vhost_vdpa_vring_ioctl, drivers/vhost/vdpa.c"
        ) { moment in
            moment.bases { given, _ in given != 0 }
        },
        ClientRule(
            216, .rings, .warning, "A ring goes on where it stood unless the driver has made it anew",
            reason:
                "a reset puts every queue to 0. That is right after a driver has set its ring up anew, and wrong after"
                + " a stop and start, which the driver knows nothing of.",
            advice:
                "SET_VRING_BASE with what GET_VRING_BASE has said, after each reset that is not the guest's own",
            source: "vdpasim_vq_reset, drivers/vdpa/vdpa_sim/vdpa_sim.c"
        ) { moment in
            moment.bases { given, _ in given == 0 }
        },
        ClientRule(
            217, .rings, .warning, "A position is asked for when the queue stands",
            reason:
                "vhost-vdpa asks the parent at once and stops nothing: the queue goes on behind the answer, and what it"
                + " takes until the reset is taken again afterwards.",
            advice:
                "SUSPEND first, where GET_BACKEND_FEATURES offers it; else SET_VRING_ENABLE 0, where the parent stops by it",
            source: "VHOST_GET_VRING_BASE, vhost_vdpa_vring_ioctl, drivers/vhost/vdpa.c"
        ) { moment in
            guard let (index, _) = moment.state(of: "GET_VRING_BASE"), moment.isSuccess,
                moment.file.isRunning,
                let queue = moment.file.queues[index], queue.isEnabled
            else { return [] }
            return moment.breach("queue \(index) runs")
        },
    ]
}

extension ClientMoment {
    /// The first place of each queue that starts which no map has, where `isMeant` takes the address.
    fileprivate func gaps(
        _ isMeant: (WatchedFile, VringIndex, UInt64) -> Bool
    ) -> [ClientBreach] {
        startedQueues.compactMap { index in
            guard let gap = file.firstGap(of: index), isMeant(file, index, gap.address.rawValue) else {
                return nil
            }
            let map = file.maps(of: index).map(ofMemoryAt: gap.address.rawValue)
            let hint = map.map { "; it is memory that call \($0.call) has mapped at \($0.range)" } ?? ""
            return ClientBreach(
                call: number,
                detail: "no map has \(gap.address), of the \(gap.name) of queue \(index)\(hint)")
        }
    }

    /// The queues that start for the first time since a reset elsewhere than where they stood, where `isMeant` takes the
    /// position that they are given.
    fileprivate func bases(_ isMeant: (_ given: UInt32, _ stood: UInt32) -> Bool) -> [ClientBreach] {
        startedQueues.compactMap { index in
            guard let queue = file.queues[index], queue.startedAt == nil,
                let stood = queue.returnedBeforeReset
            else { return nil }
            let given = queue.base?.value ?? 0
            guard given != stood, isMeant(given, stood) else { return nil }
            let how = queue.base == nil ? "has been given no position and starts at 0" : "starts at \(given)"
            return ClientBreach(
                call: queue.base?.call ?? number,
                detail: "queue \(index) \(how); before the reset it stood at \(stood)")
        }
    }
}

extension WatchedFile {
    /// The first address of a queue's ring that no map has; `nil` where there is none, or the ring has no addresses.
    func firstGap(of index: VringIndex) -> (name: String, address: IOVirtualAddress)? {
        guard let queue = queues[index] else { return nil }
        let maps = maps(of: index)
        for area in queue.areas(isPacked: isPacked) {
            if let address = maps.gap(in: area.range) { return (area.name, address) }
        }
        return nil
    }
}
