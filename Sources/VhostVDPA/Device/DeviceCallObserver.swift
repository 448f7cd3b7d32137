/// Somebody who watches a device's calls as they go by, to measure them. Called on the control thread, within the time
/// that a call takes.
package protocol DeviceCallObserver: AnyObject {
    /// `ioctl(2)` is about to be made; `argument` is what it takes, most often the address of a value that is valid
    /// until the call returns.
    func willCall(_ request: UInt, _ argument: UInt)
    /// It has been made, and did not fail.
    func didCall(_ request: UInt, _ argument: UInt)
    /// A message is about to be written.
    func willSend(_ message: IOTLBMessage)
}
