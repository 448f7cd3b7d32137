package import GuestMemory
internal import IOUring
internal import LinuxHost
package import Logging
internal import WorkerRuntime

/// A pinner that pins: with io_uring's registered buffers, so that VmPin in `/proc/self/status` moves as it does
/// under vhost-vdpa. mlock would move VmLck instead and let the kernel migrate the pages.
///
/// The memlock rule is checked first and here, since io_uring lets a process with CAP_IPC_LOCK past it. Without
/// that capability io_uring keeps an account of its own, for all processes of a user together, and may refuse
/// what vhost-vdpa would not: that is ENOMEM, with io_uring's own reason.
///
/// Each pin is buffers of 64 MiB at most; a part that goes first is cut out (``PinnedPieces``). VmPin is
/// what vhost-vdpa's would be, except
/// - for read-only memory, which io_uring cannot pin: it is counted in ``pinnedPages`` alone;
/// - for huge pages (`io_buffer_account_pin`): one that is pinned in part counts whole, and one that two buffers
///   of a ring share counts once;
/// - where the kernel refuses the rest of a buffer that is cut: its pages go with the last of them;
/// - on Linux before 6.4, which lets go within a second and not at once.
package final class RegisteredBufferPinner: Pinner, Sendable {
    /// The account of this process: the memlock limit counts over all devices.
    package static let process = RegisteredBufferPinner()

    private struct State {
        var account = PinAccount()
        var buffers = PinnedBuffers()
    }

    private let state = Guarded(State())

    /// Makes an account with its own count.
    package init() {}

    package var pinnedPages: Int { state.withLock { $0.account.pages } }

    /// Makes the ring: throws where the machine or its container does not allow io_uring, and says why.
    package func prepare() throws { try state.withLock { try $0.buffers.prepare() } }

    package func pin(
        start: HostAddress, pages: Int, access: MemoryAccess, limit: Int?, logger: Logger
    ) throws(PinRefusal) {
        let limit = limit ?? PinAccount.memlockPages()
        try state.withLock { (state) throws(PinRefusal) in
            let isWritable = try state.account.charge(
                start: start, count: pages, access: access, limit: limit)
            guard isWritable else { return }
            do throws(IOUringError) {
                try state.buffers.hold(Self.range(start, pages), logger: logger)
            } catch {
                state.account.discharge(count: pages)
                throw PinRefusal(error.errno, .system("\(error)"))
            }
        }
    }

    package func unpin(start: HostAddress, pages: Int, logger: Logger) {
        state.withLock { state in
            state.account.discharge(count: pages)
            state.buffers.release(Self.range(start, pages), page: UInt64(HostPage.byteCount), logger: logger)
        }
    }

    private static func range(_ start: HostAddress, _ pages: Int) -> Range<UInt64> {
        start.rawValue..<start.rawValue + UInt64(pages * HostPage.byteCount)
    }
}
