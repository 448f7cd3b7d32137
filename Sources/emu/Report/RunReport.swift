/// What a run did and found, as `emu run --json` prints it. Times are in microseconds.
struct RunReport: Codable, Equatable, Sendable {
    /// IOTLB_PERSIST between the device and the run.
    struct Persist: Codable, Equatable, Sendable {
        /// The device offers it.
        var offered: Bool
        /// It is in force.
        var acknowledged: Bool
    }

    /// Frames from the guest's side; each sent one is received, lost, abandoned or dropped by the device.
    struct Packets: Codable, Equatable, Sendable {
        var sent: UInt64
        var received: UInt64
        /// Sent, and nobody knows where it is. Only where what is sent comes back.
        var lost: UInt64
        var duplicated: UInt64
        var corrupted: UInt64
        /// In the rings of a device that had to start over.
        var abandoned: UInt64
        /// Dropped by the device, which counted it: no receive buffer, or a port that was full.
        var deviceDrops: UInt64
    }

    /// IOTLB messages of the whole run, the first map included.
    struct IOTLB: Codable, Equatable, Sendable {
        /// The mean over all cycles of what one sends from the begin of its stop to the end of its start; batch
        /// markers and the first map are not in it. Zero of no cycles.
        struct PerCycle: Codable, Equatable, Sendable {
            var updates: Double
            var invalidates: Double
        }

        var updates: Int
        var invalidates: Int
        var batches: Int
        var perCycle: PerCycle
    }

    /// Stop begin to start end, the running interval excluded. Zero of no cycles.
    struct CycleTime: Codable, Equatable, Sendable {
        var p50: Double
        var p99: Double
    }

    /// A device access that its IOTLB did not permit.
    struct Fault: Codable, Hashable, Sendable {
        /// The I/O virtual address in hexadecimal.
        var address: String
        /// `read`, `write` or both.
        var access: String
        /// How many of the latest faults were this one.
        var count: Int
    }

    /// What the process held after its first start and after its last, both times with the device running.
    struct Resources: Codable, Equatable, Sendable {
        struct Pair: Codable, Equatable, Sendable {
            var first: UInt64
            var last: UInt64
        }

        /// Bytes pinned for devices (VmPin); none where the kernel does not say.
        var pinned: Pair?
        /// Open file descriptors; none where the kernel does not say.
        var descriptors: Pair?
    }

    /// What the run was set up with.
    struct Setup: Codable, Equatable, Sendable {
        var guest: String
        var wire: String?
        var persistPolicy: String
        /// Running time between a start and the next stop.
        var interval: Double
        /// Sections of guest memory that a device can reach: those that are mapped.
        var sections: Int
        /// The virtio features that were accepted, not all that were offered: those `emu info` shows.
        var features: String
        /// The backend features that were acknowledged.
        var backendFeatures: String
    }

    /// The device as the command line named it.
    var device: String
    var memoryBytes: UInt64
    /// Queue pairs.
    var queues: Int
    var setup: Setup

    var persist: Persist
    var cycles: Int
    var packets: Packets
    var iotlb: IOTLB
    /// DMA faults of a simulated device.
    var faults: Int
    /// The latest of them.
    var recentFaults: [Fault]
    var cycleTime: CycleTime
    /// Received packets per second of running time.
    var throughput: Double
    /// The time the device ran, without its stops and starts.
    var runningTime: Double

    /// Chains or rings that broke a rule, and ports that refused a frame, as the device counted them.
    var deviceErrors: UInt64
    /// The same on the driver's side.
    var driverErrors: UInt64
    /// Frames that came back and that nobody sent.
    var unsent: UInt64
    /// How often the device asked for a reset and got one.
    var recoveries: Int
    var resources: Resources
    /// Ended before its time because somebody asked.
    var interrupted: Bool
    /// What was wrong, in words; empty where nothing was.
    var problems: [String]
}
