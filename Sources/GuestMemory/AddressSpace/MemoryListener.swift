/// Somebody who keeps a copy of the guest's memory map: a device's IOTLB, above all.
///
/// A transaction calls ``begin()``, then ``remove(_:)`` for every section that is gone or changed, then
/// ``add(_:)`` for every new one and ``keep(_:)`` for every unchanged one, then ``commit()`` (QEMU's order in
/// `system/memory.c`: a delete pass over everything, then an add pass). Registering replays every section as
/// an add; unregistering every section as a remove. All calls come on the control thread.
public protocol MemoryListener: AnyObject {
    /// A transaction begins.
    func begin()
    /// A section is gone, or is not what it was.
    func remove(_ section: MemorySection)
    /// A section is new, or is not what it was.
    func add(_ section: MemorySection)
    /// A section is as it was.
    func keep(_ section: MemorySection)

    /// Carries the transaction out, whole or not at all.
    ///
    /// On an error the listener is as it was before ``begin()``, and the address space takes the change back.
    func commit() throws(MemoryListenerError)
}
