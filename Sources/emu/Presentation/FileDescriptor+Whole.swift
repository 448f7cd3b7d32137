internal import Glibc
internal import SystemPackage

extension FileDescriptor {
    /// Writes all of `bytes`. A descriptor that does not block, as a caller may have left it, is waited for.
    ///
    /// A write that is refused for the moment is made again, but not for ever: who refuses it every time is no signal
    /// and no slow reader, for whose room it waits in poll(2).
    func writeWhole(_ bytes: [UInt8]) throws(Errno) {
        var written = 0
        var interruptions = 0
        var refusals = 0
        while written < bytes.count {
            do {
                let count = try unsafe bytes.withUnsafeBytes {
                    try unsafe write(
                        UnsafeRawBufferPointer(rebasing: $0[written...]), retryOnInterrupt: false)
                }
                // Nothing taken is a refusal without a name.
                guard count > 0 else { throw Errno.wouldBlock }
                written += count
                (interruptions, refusals) = (0, 0)
            } catch Errno.interrupted where interruptions < Self.interruptionLimit {
                interruptions += 1
            } catch Errno.wouldBlock where refusals < Self.refusalLimit {
                refusals += 1
                waitForRoom(isFirst: refusals == 1)
            } catch let error as Errno {
                throw error
            } catch {
                throw .ioError
            }
        }
    }

    /// How often in a row a write may be interrupted, and may be refused where poll(2) says that there is room.
    private static var interruptionLimit: Int { 1000 }
    private static var refusalLimit: Int { 100 }

    /// Whether a write of a line would be taken at once: a pipe that can be written to has room for a page.
    var hasRoom: Bool {
        var room = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&room, 1, 0) > 0
    }

    private func waitForRoom(isFirst: Bool) {
        var room = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&room, 1, -1)
        // Somebody else may have taken the room.
        if !isFirst { usleep(1000) }
    }
}
