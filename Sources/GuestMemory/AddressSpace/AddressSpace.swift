/// A machine's physical address space: a tree of regions, the flat view rendered from it, and the listeners
/// that keep copies of that view.
///
/// Used on the control thread only. The tree changes inside ``transaction(_:)``; what the guest finds, and
/// what listeners hear of, changes when the outermost transaction ends, all at once or not at all.
public final class AddressSpace {
    /// A listener and the view it holds: after a failed rollback that is not the space's own.
    private struct Registration {
        let listener: any MemoryListener
        var view: FlatView

        mutating func bring(to new: FlatView) throws(MemoryListenerError) {
            try FlatViewChange(from: view, to: new).apply(to: listener)
            view = new
        }
    }

    /// The container that holds everything, the whole 64-bit space.
    public let root: MemoryRegion
    /// What the guest finds now: the view of the last transaction that was committed.
    public private(set) var view = FlatView.empty

    private var registrations: [Registration] = []
    /// How to take back each change of the open transaction, in the order they were made.
    private var undo: [() -> Void] = []
    private var depth = 0
    private var isCalling = false

    /// Makes a space in which there is nothing.
    public init(name: String) { root = .container(name) }

    /// Runs `change` and then carries out, in one go, what it changed in the tree.
    ///
    /// Transactions nest and only the outermost commits: it renders the tree, and takes each listener in the
    /// order of registration through one whole transaction of its own, from the view it has to the new one.
    /// An error thrown by `change` takes back what `change` did, and nobody is called. Where a listener
    /// refuses, those before it are taken back through the reverse transaction, those after it never hear
    /// of the change, and the tree is as it was.
    ///
    /// - Throws: What `change` throws; ``GuestMemoryError/Code/listenerRefused``, nothing changed; or
    ///   ``GuestMemoryError/Code/rollbackFailed``, where a listener that had accepted did not take the
    ///   reverse transaction. That listener is out of step, and the next transaction brings it back.
    public func transaction<Result>(
        _ change: () throws(GuestMemoryError) -> Result
    ) throws(GuestMemoryError) -> Result {
        precondition(!isCalling, "a memory listener must not change the address space it listens to")
        let mark = undo.count
        depth += 1
        do throws(GuestMemoryError) {
            let result = try change()
            if depth == 1 { try commit() }
            depth -= 1
            if depth == 0 { undo.removeAll() }
            return result
        } catch {
            depth -= 1
            while undo.count > mark { undo.removeLast()() }
            throw error
        }
    }

    /// Notes how to take back a change of the tree that is made in the open transaction.
    func onUndo(_ action: @escaping () -> Void) {
        precondition(depth > 0, "the tree of an address space changes only in a transaction")
        undo.append(action)
    }

    private func commit() throws(GuestMemoryError) {
        let new = FlatViewRenderer.render(root)
        isCalling = true
        defer { isCalling = false }
        for index in registrations.indices {
            do throws(MemoryListenerError) {
                try registrations[index].bring(to: new)
            } catch {
                throw takeBack(
                    registrations.indices[..<index], refused: FlatViewChange(from: view, to: new), error)
            }
        }
        view = new
    }

    /// Brings the listeners that have accepted a change back to the current view, the last one first.
    private func takeBack(
        _ accepted: Range<Int>, refused change: FlatViewChange, _ reason: MemoryListenerError
    ) -> GuestMemoryError {
        var stuck: [String] = []
        for index in accepted.reversed() {
            do throws(MemoryListenerError) {
                try registrations[index].bring(to: view)
            } catch {
                stuck.append("\(type(of: registrations[index].listener)): \(error)")
            }
        }
        let refusal = "the memory change (\(change)) was refused: \(reason)"
        guard stuck.isEmpty else {
            return GuestMemoryError(
                code: .rollbackFailed,
                context:
                    "\(refusal); taking it back failed too (\(stuck.joined(separator: "; "))), so that a "
                    + "device may hold stale maps; reset it before it is used again",
                underlying: reason.underlying
            )
        }
        return GuestMemoryError(
            code: .listenerRefused, context: "\(refusal); the memory map is as it was",
            underlying: reason.underlying
        )
    }

    /// Replays every section to `listener` as an add, in one transaction, and keeps it informed from then on.
    ///
    /// The space holds the listener until it is unregistered. Registering one twice is a programming error.
    ///
    /// - Throws: ``GuestMemoryError/Code/listenerRefused``; the listener is not registered then.
    public func register(_ listener: any MemoryListener) throws(GuestMemoryError) {
        precondition(!isCalling, "a memory listener must not register listeners")
        precondition(!registrations.contains { $0.listener === listener }, "a listener registers once")
        isCalling = true
        defer { isCalling = false }
        var registration = Registration(listener: listener, view: .empty)
        do throws(MemoryListenerError) {
            try registration.bring(to: view)
        } catch {
            throw GuestMemoryError(
                code: .listenerRefused,
                context: "a memory listener refused the memory map "
                    + "(\(FlatViewChange(from: .empty, to: view))): \(error); it is not registered",
                underlying: error.underlying
            )
        }
        registrations.append(registration)
    }

    /// Replays every section to `listener` as a remove, in one transaction, and lets go of it. A listener
    /// that is not registered is left alone.
    ///
    /// - Throws: ``GuestMemoryError/Code/listenerRefused``; the listener stays registered then.
    public func unregister(_ listener: any MemoryListener) throws(GuestMemoryError) {
        precondition(!isCalling, "a memory listener must not unregister listeners")
        guard let index = registrations.firstIndex(where: { $0.listener === listener }) else { return }
        isCalling = true
        defer { isCalling = false }
        let held = registrations[index].view
        do throws(MemoryListenerError) {
            try registrations[index].bring(to: .empty)
        } catch {
            throw GuestMemoryError(
                code: .listenerRefused,
                context: "a memory listener refused to give up the memory map "
                    + "(\(FlatViewChange(from: held, to: .empty))): \(error); it stays registered",
                underlying: error.underlying
            )
        }
        registrations.remove(at: index)
    }
}
