import Glibc

/// Gives the workers time while a condition is polled that no event announces.
func usleepMilliseconds(_ milliseconds: UInt32) { usleep(milliseconds * 1000) }
