internal import Glibc
internal import SystemPackage

extension FileDescriptor {
    /// Writes all of `bytes`. A descriptor that does not block, as a caller may have left it, is waited for.
    func writeWhole(_ bytes: [UInt8]) throws(Errno) {
        var written = 0
        while written < bytes.count {
            do {
                written += try unsafe bytes.withUnsafeBytes {
                    try unsafe write(UnsafeRawBufferPointer(rebasing: $0[written...]))
                }
            } catch Errno.wouldBlock {
                var room = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&room, 1, -1)
            } catch let error as Errno {
                throw error
            } catch {
                throw .ioError
            }
        }
    }
}
