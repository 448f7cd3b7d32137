package import VirtQueue
package import Virtio

/// What a guest's network driver is set up with: what its device offered and what the run wants of it.
package struct DriverConfiguration: Sendable {
    /// Descriptors of each queue: a power of two.
    package var queueSize: UInt16
    package var features: VirtioFeatures
    /// The device's own address: where generated frames go.
    package var deviceAddress: MACAddress
    /// The length of generated frames without the virtio header.
    package var frameByteCount: Int
    /// Whether frames that are sent come back, so that one that does not is lost.
    package var expectsReturn: Bool

    package init(
        queueSize: UInt16 = 256, features: VirtioFeatures = [.eventIndex, .indirectDescriptors],
        deviceAddress: MACAddress, frameByteCount: Int = 64, expectsReturn: Bool = true
    ) {
        self.queueSize = queueSize
        self.features = features
        self.deviceAddress = deviceAddress
        self.frameByteCount = frameByteCount
        self.expectsReturn = expectsReturn
    }

    /// The rings' format, which the features choose.
    package var format: RingFormat { RingFormat(features) }
}
