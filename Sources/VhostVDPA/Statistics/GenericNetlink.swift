internal import CLinux
internal import Glibc
internal import SystemPackage

/// Generic netlink, asked by children that hold no file of this process, with a limit to how long an answer may take.
///
/// `vdpa dev del` has generic netlink's mutex while it waits for whoever holds the device to close it. A holder that
/// asks over netlink itself waits for that mutex, so that neither ever ends, and with them no other netlink of the
/// machine. A child without the device may wait; who asked it goes on, and closes. One thread.
final class GenericNetlink {
    /// How long the answers to one question may take. A machine that is busy, or emulated, takes a good part of a second.
    private let patience: Duration
    /// Children that did not answer in time. They are told to end, and do when the kernel lets them.
    private var lateChildren: [pid_t] = []

    init(patience: Duration = .seconds(3)) { self.patience = patience }

    deinit { reap() }

    /// Sends `requests` and returns the kernel's answers, one for each; an answer that is an error is thrown.
    ///
    /// ETIMEDOUT where they do not come in time, and at once from then on: the kernel's netlink is held by somebody.
    func ask(_ requests: [NetlinkMessage]) throws(Errno) -> [NetlinkMessage] {
        guard lateChildren.isEmpty else { throw .timedOut }
        let data = requests.flatMap(\.encoded)
        var buffer = [UInt8](repeating: 0, count: Self.answerLimit)
        var child = clinux_netlink_child()
        let result = unsafe clinux_netlink_ask(
            data, data.count, CInt(requests.count), &buffer, buffer.count, &child)
        guard result == 0 else { throw Errno(rawValue: -result) }
        let answers = FileDescriptor(rawValue: child.answers)
        defer { try? answers.close() }
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try Self.readAll(answers, until: ContinuousClock.now + patience)
        } catch {
            // It may be waiting for netlink, so that nobody waits for it.
            kill(child.process, SIGKILL)
            lateChildren.append(child.process)
            throw error
        }
        // It has closed its pipe with the last thing it did.
        var attempts = 0
        while waitpid(child.process, nil, 0) < 0, errno == EINTR, attempts < Self.waitAttempts {
            attempts += 1
        }
        return try Self.messages(bytes, count: requests.count)
    }

    /// The number of the family `name`; ENOENT where the kernel has none of that name.
    func family(_ name: String) throws(Errno) -> UInt16 {
        // GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME and CTRL_ATTR_FAMILY_ID of linux/genetlink.h.
        let answers = try ask([NetlinkMessage(type: 16, command: 3, attributes: [.string(2, name)])])
        guard let id = answers.first?.attributes.first(where: { $0.type == 1 }) else {
            throw .noSuchFileOrDirectory
        }
        return UInt16(truncatingIfNeeded: id.number)
    }

    /// Waits for the children that did not answer, 3 s at the most. To be called once the device is closed: whoever held
    /// netlink goes on then, and so do they. One that still waits is left to the process's end.
    func reap() {
        let end = ContinuousClock.now + Self.reapPatience
        while !lateChildren.isEmpty {
            lateChildren.removeAll { clinux_netlink_is_over($0) != 0 }
            guard !lateChildren.isEmpty, ContinuousClock.now < end else { return }
            usleep(1000)
        }
    }

    /// The children that are not reaped yet. For tests.
    var lateChildCount: Int { lateChildren.count }

    /// The most bytes of one answer.
    private static let answerLimit = 16384

    /// How long a child that was killed may take to end: as long as it needs for a processor, whatever an answer may take.
    private static let reapPatience = Duration.seconds(3)

    /// How often one wait for a child that has ended is made again because a signal interrupted it.
    private static let waitAttempts = 1000

    /// Everything up to the end of the file; ETIMEDOUT where `end` comes first.
    static func readAll(
        _ descriptor: FileDescriptor, until end: ContinuousClock.Instant
    ) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: answerLimit)
        while true {
            let left = ContinuousClock.now.duration(to: end) / .milliseconds(1)
            guard left > 0 else { throw .timedOut }
            var event = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            let isReady = unsafe poll(&event, 1, Int32(left.rounded(.up)))
            guard isReady > 0 else {
                // A poll that is refused every time is no reason to keep a processor busy.
                if isReady < 0 { usleep(1000) }
                continue
            }
            do {
                let count = try unsafe block.withUnsafeMutableBytes {
                    try unsafe descriptor.read(into: $0, retryOnInterrupt: false)
                }
                if count == 0 { return bytes }
                bytes += block[0..<count]
            } catch Errno.interrupted {
                usleep(1000)
            } catch {
                throw error as? Errno ?? .ioError
            }
        }
    }

    /// The answers in what a child has written.
    private static func messages(_ bytes: [UInt8], count: Int) throws(Errno) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var rest = bytes[...]
        while messages.count < count {
            guard rest.count >= 4 else { throw .ioError }
            let word = Int32(
                truncatingIfNeeded: NetlinkMessage.Attribute(type: 0, payload: Array(rest.prefix(4))).number)
            rest = rest.dropFirst(4)
            guard word >= 0 else { throw Errno(rawValue: -word) }
            guard rest.count >= Int(word),
                let message = NetlinkMessage(decoding: Array(rest.prefix(Int(word))))
            else { throw .badMessage }
            guard message.errno == 0 else { throw Errno(rawValue: message.errno) }
            messages.append(message)
            rest = rest.dropFirst(Int(word))
        }
        return messages
    }
}
