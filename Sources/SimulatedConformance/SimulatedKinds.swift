internal import SimulatedVDPA

/// Every kind of simulated device, by its specification.
package enum SimulatedKinds {
    /// For the rules: each kind of parent with each kernel that has it.
    package static let forRules: [String] = SimulatedParentKind.allCases.flatMap { parent in
        KernelVersion.allCases.map { "sim,parent=\(parent.rawValue),kernel=\($0.rawValue)" }
    }.filter { (try? SimulatedDeviceSpecification(parsing: $0)) != nil }

    /// For sequences of map operations: every row of the decision table that a specification can name, a limit that they
    /// reach, and fragments.
    package static let forSequences = [
        "sim,entries=6", "sim,entries=6,use-va=off", "sim,use-va=off,fragment=8K,entries=6",
        "sim,parent=dma-map,entries=6", "sim,parent=dma-map,use-va=off,fragment=4K,entries=6",
        "sim,kernel=6.1", "sim,kernel=6.1,use-va=off", "sim,kernel=7.2,entries=6",
        "sim,reset-map=off,entries=6",
        "sim,reset-map=off,compat-reset=off,entries=6", "sim,reset-map=off,wipe-on-reset=on,entries=6",
        "sim,parent=dma-map,reset-map=off,compat-reset=off,entries=6", "sim,parent=platform,entries=6",
        "sim,parent=platform,kernel=6.1,fragment=4K", "sim,parent=vendor,entries=6",
        "sim,parent=vduse,entries=6",
        "sim,parent=vduse,kernel=6.1", "sim,parent=vp-vdpa,kernel=7.2,entries=6",
    ]
}
