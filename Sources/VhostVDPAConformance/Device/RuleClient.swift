package import VhostVDPA

/// A rule's process at a device.
package final class RuleClient: DeviceCaller {
    package let callee: any CharacterDevice
    private(set) var isClosed = false

    package init(_ file: any CharacterDevice) { callee = file }

    package func close() {
        isClosed = true
        callee.close()
    }
}
