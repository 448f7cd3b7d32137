internal import Glibc
package import SystemPackage

/// Looks at `condition` until it holds, for ten seconds at the most.
package func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<100_000 {
        if condition() { return true }
        usleep(100)
    }
    return false
}

/// Waits until there is something to read from `descriptor`, as a signal of an eventfd, for ten seconds at the most.
package func becomesReadable(_ descriptor: FileDescriptor) -> Bool {
    var event = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
    while true {
        let count = unsafe poll(&event, 1, 10_000)
        if count >= 0 || errno != EINTR { return count == 1 }
    }
}

/// Gives the workers time while a condition is polled that no event announces.
package func usleepMilliseconds(_ milliseconds: UInt32) { usleep(milliseconds * 1000) }
