package import VirtioDevice

/// Makes the data path of a new device: its worker, with every queue stopped and no translation.
package struct DataPathFactory {
    private let make:
        (any DeviceKind, _ events: @escaping @Sendable (DataPathEvent) -> Void) throws -> any DataPath

    /// Wraps `make`: the kind says what the device is, and the data path reports to `events`, from its
    /// own thread.
    package init(
        _ make:
            @escaping (
                _ kind: any DeviceKind, _ events: @escaping @Sendable (DataPathEvent) -> Void
            ) throws -> any DataPath
    ) {
        self.make = make
    }

    /// Makes one data path.
    package func callAsFunction(
        _ kind: any DeviceKind, events: @escaping @Sendable (DataPathEvent) -> Void
    ) throws -> any DataPath {
        try make(kind, events)
    }
}
