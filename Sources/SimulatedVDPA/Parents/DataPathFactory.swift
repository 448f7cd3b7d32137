package import VirtioNet

/// Makes the data path of a new device: its worker, with every queue stopped and no translation.
package struct DataPathFactory {
    private let make:
        (NetworkDeviceProfile, _ events: @escaping @Sendable (DataPathEvent) -> Void) throws -> any DataPath

    /// Wraps `make`: the profile says what the device offers, and the data path reports to `events`, from its
    /// own thread.
    package init(
        _ make:
            @escaping (
                _ profile: NetworkDeviceProfile, _ events: @escaping @Sendable (DataPathEvent) -> Void
            ) throws -> any DataPath
    ) {
        self.make = make
    }

    /// Makes one data path.
    package func callAsFunction(
        _ profile: NetworkDeviceProfile, events: @escaping @Sendable (DataPathEvent) -> Void
    ) throws -> any DataPath {
        try make(profile, events)
    }
}
