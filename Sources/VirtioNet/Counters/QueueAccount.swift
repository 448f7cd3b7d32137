package import Virtio

/// The account of one queue on both of its sides, and across the ring between them.
package struct QueueAccount: Equatable, Sendable {
    /// Which way a queue's frames go.
    package enum Direction: String, Sendable {
        /// From the device to the driver.
        case receive
        /// From the driver to the device.
        case transmit
    }

    /// The queue's number in the device.
    package let queue: Int
    /// Which way its frames go.
    package let direction: Direction
    /// The guest's side.
    package let driver: FrameAccount
    /// The device's side; `nil` for a device that keeps none, as a real one.
    package let device: FrameAccount?

    /// - Precondition: a queue of `role` carries frames.
    package init(queue: Int, role: QueueRole, driver: FrameAccount, device: FrameAccount?) {
        switch role {
        case .receive: direction = .receive
        case .transmit: direction = .transmit
        case .control, .request: preconditionFailure("an account of a queue that carries no frames")
        }
        self.queue = queue
        self.driver = driver
        self.device = device
    }

    /// Frames that one side handed to the ring and the other did not take from it; below zero where it took more.
    /// `nil` where only one side is known.
    ///
    /// Exact once the device is stopped and the driver has looked at what it returned. Transmit compares the chains
    /// that the device took with those that the driver got back, receive the frames that the device returned with
    /// those that the driver found.
    package var missingInRing: Int64? {
        guard let device else { return nil }
        return switch direction {
        case .transmit: Int64(bitPattern: device.entered &- driver.left)
        case .receive: Int64(bitPattern: device.left &- driver.entered)
        }
    }

    /// Whether both sides balance, and the ring between them.
    package var balances: Bool {
        driver.balances && (device?.balances ?? true) && (missingInRing ?? 0) == 0
    }
}
