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
                written += try unsafe bytes.withUnsafeBytes {
                    try unsafe write(
                        UnsafeRawBufferPointer(rebasing: $0[written...]), retryOnInterrupt: false)
                }
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

    private func waitForRoom(isFirst: Bool) {
        var room = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&room, 1, -1)
        // Somebody else may have taken the room.
        if !isFirst { usleep(1000) }
    }
}
