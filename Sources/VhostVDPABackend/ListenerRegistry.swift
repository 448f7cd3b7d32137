public import GuestMemory

/// Where a memory listener signs on: an address space.
///
/// Registering replays every section of the flat view as an add, unregistering every section as a remove, each
/// in one transaction whose error it throws.
public protocol ListenerRegistry: AnyObject {
    /// Adds `listener` and tells it every section there is.
    func register(_ listener: any MemoryListener) throws
    /// Takes every section back from `listener` and removes it.
    func unregister(_ listener: any MemoryListener) throws
}
