internal import Glibc

/// Looks at `condition` until it holds, for ten seconds at the most.
package func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<100_000 {
        if condition() { return true }
        usleep(100)
    }
    return false
}

/// Gives the workers time while a condition is polled that no event announces.
package func usleepMilliseconds(_ milliseconds: UInt32) { usleep(milliseconds * 1000) }
