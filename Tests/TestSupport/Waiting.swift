internal import Glibc
package import SystemPackage

/// Looks at `condition` every tenth of a millisecond until it holds: for what no event announces.
///
/// Looks are counted and not time, so that a process that was stopped for a while gives up no sooner: 100,000 take ten
/// seconds at the least.
package func eventually(looks: Int = 100_000, _ condition: () -> Bool) -> Bool {
    for _ in 0..<looks {
        if condition() { return true }
        usleep(100)
    }
    return false
}

/// Waits until there is something to read from one of `descriptors`, as a signal of an eventfd; `false` where there is
/// nothing for ten seconds, which are counted in tenths for the same reason.
package func becomesReadable(_ descriptors: FileDescriptor...) -> Bool {
    var events = descriptors.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
    for _ in 0..<100 {
        let count = unsafe poll(&events, nfds_t(events.count), 100)
        if count > 0 { return events.contains { $0.revents & Int16(POLLIN) != 0 } }
    }
    return false
}
