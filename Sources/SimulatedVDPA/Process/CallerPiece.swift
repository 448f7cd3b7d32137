/// A piece of a caller's memory, as its call names it: `struct iovec`, checked by nobody yet.
package struct CallerPiece: Hashable, Sendable {
    package let address: UInt
    package let byteCount: Int

    package init(address: UInt, byteCount: Int) {
        self.address = address
        self.byteCount = byteCount
    }
}
