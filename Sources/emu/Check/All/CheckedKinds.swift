internal import SimulatedConformance

/// What `emu check --device` names: a device, or every kind of simulated one in turn.
enum CheckedKinds: Hashable, Sendable {
    case one(DeviceSpecification)
    case all

    static let standard = CheckedKinds.one(.standard)

    /// Reads `all`, or a device.
    init(parsing text: String) throws(ArgumentError) {
        self = text == DeviceSpecification.everyKind ? .all : .one(try DeviceSpecification(parsing: text))
    }

    /// What `all` is for the rules.
    static var forRules: [DeviceSpecification] {
        SimulatedKinds.forRules.map(DeviceSpecification.init(known:))
    }

    /// What `all` is for sequences.
    static var forSequences: [DeviceSpecification] {
        SimulatedKinds.forSequences.map(DeviceSpecification.init(known:))
    }
}
