internal import DeviceScripts
internal import VhostVDPA

/// Rules on a queue's eventfds. What breaks them shows when the run ends.
enum EventRules {
    static let all: [ClientRule] = [
        ClientRule(
            218, .events, .error, "SET_VRING_CALL is repeated after each reset",
            reason:
                "a reset takes the device's callback, and vhost gives it again only when it is given the eventfd: the queue"
                + " uses buffers and nobody is told.",
            advice: "SET_VRING_CALL for every queue between the reset and DRIVER_OK",
            source: "vhost_vdpa_vring_ioctl, drivers/vhost/vdpa.c; vdpasim_vq_reset, vduse_dev_reset"
        ) { moment in
            moment.endedQueues.compactMap { index, queue, start in
                guard queue.hasCall, !queue.callIsCurrent else { return nil }
                return ClientBreach(
                    call: start,
                    detail: "queue \(index) had an eventfd before the reset, and was given none for this run")
            }
        },
        ClientRule(
            219, .events, .warning, "A queue that was kicked before it started is kicked again",
            reason:
                "a kick acts when it is made: vhost never reads the eventfd, and what came before the queue was ready is"
                + " dropped. Buffers that were there already wait for the next kick.",
            advice: "kick every queue once after DRIVER_OK and SET_VRING_ENABLE",
            source: "handle_vq_kick, drivers/vhost/vdpa.c; vdpasim_kick_vq"
        ) { moment in
            moment.endedQueues.compactMap { index, queue, start in
                guard queue.kickedBeforeStart, !queue.kickedSinceStart else { return nil }
                return ClientBreach(
                    call: start, detail: "queue \(index) was kicked before it started, and never in this run")
            }
        },
    ]
}

extension ClientMoment {
    /// The queues whose run ends with this call, with the call that began it.
    fileprivate var endedQueues: [(VringIndex, WatchedQueue, Int)] {
        guard isEnd else { return [] }
        return file.queues.sorted { $0.key < $1.key }.compactMap { index, queue in
            queue.startedAt.map { (index, queue, $0) }
        }
    }
}
