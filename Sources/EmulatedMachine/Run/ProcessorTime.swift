internal import Glibc
internal import LinuxHost
internal import SystemPackage

/// How long threads of this process ran, and how long they were ready to run and had to wait for a processor.
package struct ProcessorTime: Hashable, Sendable {
    package private(set) var running = Duration.zero
    package private(set) var waiting = Duration.zero

    /// Adds up what the kernel says of each thread: nanoseconds run and nanoseconds waited, in /proc/PID/schedstat. `nil`
    /// where it says nothing of any.
    package init?(schedstats: [String]) {
        var isKnown = false
        for text in schedstats {
            let fields = text.split(whereSeparator: \.isWhitespace).prefix(2).compactMap { Int64($0) }
            guard fields.count == 2 else { continue }
            running += .nanoseconds(fields[0])
            waiting += .nanoseconds(fields[1])
            isKnown = true
        }
        guard isKnown else { return nil }
    }

    /// The time of all threads there are now, since each began. A file of /proc for each is read; any thread.
    package static func current() -> ProcessorTime? {
        ProcessorTime(
            schedstats: threads().compactMap { KernelText.of(FilePath("/proc/self/task/\($0)/schedstat")) })
    }

    /// The time since `earlier`. A thread that has ended meanwhile took its time with it.
    package static func - (later: Self, earlier: Self) -> Self {
        var difference = later
        difference.running = max(.zero, later.running - earlier.running)
        difference.waiting = max(.zero, later.waiting - earlier.waiting)
        return difference
    }

    /// Which part of the time in which its threads had work they waited: 0 with a processor for each, close to 1 where
    /// many share one.
    package var waitingShare: Double {
        let all = running + waiting
        return all > .zero ? waiting / all : 0
    }

    private static func threads() -> [String] {
        guard let listing = unsafe opendir("/proc/self/task") else { return [] }
        defer { unsafe closedir(listing) }
        var names: [String] = []
        while let entry = unsafe readdir(listing) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 1) { unsafe String(cString: $0) }
            }
            if name.first?.isNumber == true { names.append(name) }
        }
        return names
    }
}
