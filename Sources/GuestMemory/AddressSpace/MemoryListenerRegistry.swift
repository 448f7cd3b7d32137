/// Where a memory listener registers: whoever owns a guest's memory map, an ``AddressSpace`` or a VMM's own.
public protocol MemoryListenerRegistry: AnyObject {
    /// Replays every section to `listener` as an add, in one transaction, and keeps it informed from then on.
    ///
    /// - Throws: ``GuestMemoryError/Code/listenerRefused`` with the listener's own error as
    ///   ``GuestMemoryError/underlying``, or a reason of the registry's. The listener is not registered then.
    func register(_ listener: any MemoryListener) throws(GuestMemoryError)

    /// Replays every section to `listener` as a remove, in one transaction, and lets go of it. A listener that is not
    /// registered is left alone.
    ///
    /// - Throws: ``GuestMemoryError/Code/listenerRefused``; the listener stays registered then.
    func unregister(_ listener: any MemoryListener) throws(GuestMemoryError)
}

extension AddressSpace: MemoryListenerRegistry {}
