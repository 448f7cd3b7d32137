/// The work item of a device like vdpa_sim, which a kick of any queue schedules and one pass over all queues does
/// (`vdpasim_kick_vq`, `vdpasim_resume` and `vdpasim_work_fn` in drivers/vdpa/vdpa_sim/vdpa_sim.c).
struct KickedWork {
    /// A pass is to be made.
    private(set) var isScheduled = false
    private var isHolding = false
    /// `pending_kick`: set while the device is suspended, taken by a resume alone, whatever comes before it.
    private var hasKeptKicks = false

    /// Takes a kick of a queue that is `started`: a suspended device keeps it, a stopped queue loses it.
    mutating func kick(started: Bool) {
        if isHolding {
            hasKeptKicks = true
        } else if started {
            isScheduled = true
        }
    }

    /// Schedules a pass of the device's own accord.
    mutating func schedule() { isScheduled = true }

    /// Begins a pass; `false` where none is to be made.
    mutating func begin() -> Bool {
        defer { isScheduled = false }
        return isScheduled
    }

    /// Keeps kicks from now on.
    mutating func hold() { isHolding = true }

    /// Ends ``hold()``. What was kept stays kept.
    mutating func release() { isHolding = false }

    /// Whether kicks were kept, which they are no longer.
    mutating func takeKeptKicks() -> Bool {
        defer { hasKeptKicks = false }
        return hasKeptKicks
    }
}
