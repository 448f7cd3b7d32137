import GuestMemory
import VirtQueue
import Virtio

/// Both sides of one ring, whose sides' types may be a format's or those of any format, driven by a program of bytes and held against ``RingModel``.
///
/// As long as nobody pokes the ring's memory every answer must be the model's. From the first poke on the guest
/// and the device are hostile to each other: answers are free, but no access may leave guest memory, nothing may
/// trap, and what each side says about itself must still add up.
struct RingMachine<Device: DeviceQueue & ~Copyable, Driver: DriverQueue & ~Copyable>: ~Copyable {
    let memory: ProgramMemory
    let geometry: RingGeometry
    let layout: RingLayout
    let features: VirtioFeatures
    var translation: TranslationTable
    var segments = SegmentBuffer(capacity: 512)
    var device: Device
    var driver: Driver
    var model: RingModel
    var isHostile = false
    var nextToken: UInt32 = 0
    var freeTables = Array(0..<ProgramMemory.tableCount)
    /// In a hostile program: the chains lent, by token, and what the device has popped.
    var lent: [UInt32: RingModel.Chain] = [:]
    var held: [ChainHandle] = []

    /// Runs a program to its end.
    ///
    /// Bytes 0 to 4 are the ring: its size, the features, the first index (two), the blocks the buffers lie in.
    static func run(_ program: [UInt8], maximumSizeLog2: UInt8 = 15) throws(ProgramFailure) {
        var reader = ByteReader(program)
        let size = UInt16(1) << UInt16(reader.byte() % (maximumSizeLog2 + 1))
        let choice = reader.byte()
        var features: VirtioFeatures = []
        if choice & 1 != 0 { features.insert(.eventIndex) }
        if choice & 2 != 0 { features.insert(.indirectDescriptors) }
        let base = reader.two()
        let fragment = [256, 4096, 0x1_0000][Int(reader.byte() % 3)]
        var machine = try make(size: size, features: features, base: base, fragment: fragment)
        do throws(ProgramFailure) {
            while !reader.isAtEnd { try machine.step(&reader) }
            if !machine.isHostile { try machine.drain() }
        } catch {
            throw ProgramFailure("ring of \(size), \(features): \(error)")
        }
    }

    private static func make(
        size: UInt16, features: VirtioFeatures, base: UInt16, fragment: Int
    ) throws(ProgramFailure) -> RingMachine {
        do throws(VirtQueueError) {
            return try RingMachine(size: size, features: features, base: base, fragment: fragment)
        } catch {
            throw ProgramFailure("no ring of \(size): \(error)")
        }
    }

    init(size: UInt16, features: VirtioFeatures, base: UInt16, fragment: Int) throws(VirtQueueError) {
        let geometry = try RingGeometry(size: size)
        let memory = ProgramMemory(ringBytes: geometry.byteCount, fragment: fragment)
        let layout = geometry.layout(at: IOVirtualAddress(rawValue: ProgramMemory.ringAddress))
        var translation = memory.table()
        let driver = try unsafe Driver(
            size: size, features: features, memory: memory.ring.start, state: .split(nextAvail: base))
        let device = try Device(
            layout: layout, features: features, state: .split(nextAvail: base), translation: &translation)
        self.geometry = geometry
        self.memory = memory
        self.layout = layout
        self.features = features
        self.translation = translation
        self.driver = driver
        self.device = device
        model = RingModel(size: Int(size), hasEventIndex: features.contains(.eventIndex), base: base)
    }

    mutating func step(_ reader: inout ByteReader) throws(ProgramFailure) {
        let count = UInt8(RingOperation.allCases.count)
        guard let operation = RingOperation(rawValue: reader.byte() % count) else { return }
        switch operation {
        case .addReadable: try add(.readable, &reader)
        case .addWritable: try add(.writable, &reader)
        case .addPair: try add(.pair, &reader)
        case .addDirect: try add(.lists, &reader)
        case .addIndirect: try add(.indirect, &reader)
        case .fill: try fill(Int(reader.two()))
        case .driverPublish: try driverPublish()
        case .reap: try reap()
        case .suppressCalls: suppressCalls()
        case .requestCalls: try requestCalls(Int(reader.byte()))
        case .pop: try pop()
        case .complete: try complete(Int(reader.byte()), UInt32(reader.byte()))
        case .devicePublish: try devicePublish()
        case .rewind: try rewind(Int(reader.byte()))
        case .suppressKicks: suppressKicks()
        case .requestKicks: try requestKicks()
        case .restartDevice: try restartDevice()
        case .loseMaps: try loseMaps()
        case .drain: try drain()
        case .resetDriver: try resetDriver(reader.two())
        case .pokeRing, .pokeTable, .pokeDescriptor, .pokeIndex: poke(operation, &reader)
        }
        try checkSelf()
    }

    /// What both sides say about themselves must fit the model, or in a hostile program at least itself.
    func checkSelf() throws(ProgramFailure) {
        if isHostile {
            let used = lent.values.reduce(0) { $0 + $1.descriptors }
            try require(driver.inFlight == lent.count, "the driver lost count of its chains")
            try require(
                driver.isBroken ? driver.freeDescriptors == 0 : driver.freeDescriptors == driver.size - used,
                "the driver lost count of its descriptors")
            try require(device.inFlight == held.count, "the device lost count of its chains")
            try require(device.inFlight <= device.size, "more in flight than the ring holds")
            return
        }
        try require(driver.freeDescriptors == model.freeDescriptors, "free descriptors")
        try require(driver.inFlight == model.lentCount, "chains in flight at the driver")
        try require(device.inFlight == model.deviceHeld, "chains in flight at the device")
        try require(
            device.state == .split(nextAvail: UInt16(truncatingIfNeeded: model.poppedCount)),
            "where it goes on")
        try require(
            device.chainsReturned == UInt16(truncatingIfNeeded: model.returnedCount + model.completed.count),
            "used index")
        try require(device.hasAvailable() == !model.available.isEmpty, "has available")
        try require(driver.hasUsed() == !model.used.isEmpty, "has used")
        try require(!device.isBroken && !driver.isBroken, "an honest ring broke")
    }
}

/// A machine of the split ring's own types.
typealias SplitRingMachine = RingMachine<SplitDeviceQueue, SplitDriverQueue>
