internal import Glibc
internal import SystemPackage

/// A generic netlink socket: one request, one answer. Closed when the value goes away.
struct GenericNetlinkSocket: ~Copyable {
    private let descriptor: FileDescriptor

    init() throws(Errno) {
        let kind = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(AF_NETLINK, kind, 16)  // NETLINK_GENERIC
        guard number >= 0 else { throw Errno(rawValue: errno) }
        descriptor = FileDescriptor(rawValue: number)
    }

    deinit { try? descriptor.close() }

    /// Sends `request` and returns the kernel's answer; an answer that is an error is thrown.
    borrowing func ask(_ request: NetlinkMessage) throws(Errno) -> NetlinkMessage {
        let data = request.encoded
        guard unsafe send(descriptor.rawValue, data, data.count, 0) == data.count else {
            throw Errno(rawValue: errno)
        }
        var answer = [UInt8](repeating: 0, count: 16384)
        let count = unsafe recv(descriptor.rawValue, &answer, answer.count, 0)
        guard count >= 0 else { throw Errno(rawValue: errno) }
        guard let message = NetlinkMessage(decoding: Array(answer[0..<count])) else { throw .badMessage }
        guard message.errno == 0 else { throw Errno(rawValue: message.errno) }
        return message
    }

    /// The number of the family `name`; ENOENT where the kernel has none of that name.
    borrowing func family(_ name: String) throws(Errno) -> UInt16 {
        // GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME and CTRL_ATTR_FAMILY_ID of linux/genetlink.h.
        let answer = try ask(NetlinkMessage(type: 16, command: 3, attributes: [.string(2, name)]))
        guard let id = answer.attributes.first(where: { $0.type == 1 }) else { throw .noSuchFileOrDirectory }
        return UInt16(truncatingIfNeeded: id.number)
    }
}
