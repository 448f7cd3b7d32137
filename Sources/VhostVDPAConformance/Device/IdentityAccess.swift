/// How a simulated device that has no map, and so takes an address for a host-physical one, is shown memory of ours.
package struct IdentityAccess {
    /// Lets the device reach `byteCount` bytes at `address` and gives the address it has for them; `nil` where it is
    /// not in its 1:1 state.
    package var share: (_ address: UInt, _ byteCount: Int) -> UInt64?
    /// Takes back everything that was shared.
    package var withdraw: () -> Void

    package init(
        share: @escaping (_ address: UInt, _ byteCount: Int) -> UInt64?, withdraw: @escaping () -> Void
    ) {
        self.share = share
        self.withdraw = withdraw
    }
}
