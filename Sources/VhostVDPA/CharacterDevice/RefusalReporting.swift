/// A device that knows why it refused a message.
///
/// The kernel answers EFAULT to an IOTLB message for nearly every reason and says no more. A simulated device can.
package protocol RefusalReporting: CharacterDevice {
    /// Why the last message was refused and what to do about it, in words; `nil` where it was not refused.
    var lastRefusal: String? { get }
}
