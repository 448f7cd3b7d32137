/// What a run did and found, as `emu run --json` prints it. Times are in microseconds.
struct RunReport: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.run

    /// IOTLB_PERSIST between the device and the run.
    struct Persist: Codable, Equatable, Sendable {
        /// The device offers it.
        var offered: Bool
        /// It is in force.
        var acknowledged: Bool
    }

    /// Frames from the guest's side; each sent one is received, lost, abandoned or dropped by name.
    struct Packets: Codable, Equatable, Sendable {
        var sent: UInt64
        var received: UInt64
        /// Sent, and nobody knows where it is. Only where what is sent comes back.
        var lost: UInt64
        var duplicated: UInt64
        var corrupted: UInt64
        /// In rings that had to start over, as the device could not say where they stood, in a real device that was reset
        /// then, or with a worker that stopped for good: whether they were sent nobody can tell. The generator's own are
        /// of the first two kinds.
        var abandoned: UInt64
        /// Dropped by the device or its parent, which counted it: no receive buffer, a frame too long, a port that is
        /// full. Of all queues.
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

    /// Stop begin to start end, the running interval excluded.
    struct CycleTime: Codable, Equatable, Sendable {
        var p50: Double
        /// Of fewer than 100 it would be the longest; there is none then.
        var p99: Double?
        /// The longest.
        var max: Double
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
        /// What is done with rings of which a stop does not say where they stand: `start-over` or `recover`.
        var lostRings: String
        /// Running time between a start and the next stop.
        var interval: Double
        /// How long the run was to last at the most, how many stops and starts there were to be, and how many frames:
        /// none where it was not said.
        var duration: Double?
        var cycles: Int?
        var packets: UInt64?
        /// Sections of guest memory that a device can reach: those that are mapped.
        var sections: Int
        /// The virtio features that were accepted, not all that were offered: those `emu info` shows.
        var features: String
        /// The backend features that were acknowledged.
        var backendFeatures: String
    }

    /// What the last line of a run says in a word.
    enum Verdict: String, Codable, Sendable {
        /// What was to be shown was shown.
        case ok = "OK"
        /// Nothing was wrong, and something that was to be shown was not: no frame, none that comes back, no stop.
        case notShown = "NOT SHOWN"
        /// Something was wrong.
        case wrong = "WRONG"
    }

    /// Why a run ended.
    enum Ending: String, Codable, Sendable {
        case done, timeWasUp, stalled, interrupted, deviceWentAway, brokeOff
    }

    /// The device as the command line named it.
    var device: String
    var memoryBytes: UInt64
    /// Queue pairs.
    var queues: Int
    var setup: Setup

    var persist: Persist
    /// Stops and starts made.
    var cycles: Int
    /// Those of them at which all that was to be sent was back already.
    var idleStops: Int
    /// Stops, the last one included, at which a device that has acknowledged SUSPEND did not say where its rings stood.
    var failedSuspends: Int
    /// Stops and starts after which the rings went on from their used index, as the device did not say where they stood.
    var ringRecoveries: Int
    /// Stops, the last one included, at which the driver started over with empty rings for the same reason. Those of
    /// ``recoveries`` are not among them.
    var ringRestarts: Int
    var packets: Packets
    /// What became of the frames of each queue, on both its sides.
    var accounts: [QueueAccount]
    var iotlb: IOTLB
    /// DMA faults of a simulated device.
    var faults: Int
    /// The latest of them.
    var recentFaults: [Fault]
    /// None of no cycles.
    var cycleTime: CycleTime?
    /// Received packets per second of ``trafficTime``.
    var throughput: Double
    /// From the first frame to the last that was seen to move, stops and starts included.
    var trafficTime: Double
    /// The time the device ran, without its stops and starts.
    var runningTime: Double
    /// From the first frame until the device was stopped for good.
    var wallTime: Double

    /// Chains or rings that broke a rule, as the device counted them, and a real device's errors.
    var deviceErrors: UInt64
    /// The same on the driver's side, and chains that the device returned to it with no frame in them.
    var driverErrors: UInt64
    /// Frames that came back and that nobody sent.
    var unsent: UInt64
    /// Frames that stood in the transmit rings at the end of the traffic, and that the device did not take for as long
    /// as the run has patience.
    var untaken: UInt64
    /// How often the device asked for a reset and got one.
    var recoveries: Int
    /// TAPs whose network namespace was deleted meanwhile.
    var lostPorts: [String]
    /// What was recorded of the frames at each port that is captured.
    var captures: [Capture]
    var resources: Resources
    /// Which part of the time in which they had work the process's threads waited for a processor; none where the
    /// kernel does not say.
    var processorWait: Double?

    var ending: Ending
    /// Ended before its time because somebody asked.
    var interrupted: Bool
    /// Why the run broke off, where it did.
    var failure: String?
    var verdict: Verdict
    /// What was wrong, in words; empty where nothing was.
    var problems: [String]
    /// What who reads the numbers should know.
    var remarks: [String]
}
