import CLinux
package import SystemPackage

/// An attached TAP interface: each read gives one frame, each write sends one, both behind a 12-byte
/// ``NetworkHeader``.
///
/// **Descriptor.** Non-blocking, closed on exec. EAGAIN is "no frame" on read and "the interface's queue is
/// full" on write; through a ring, only for a transfer that does not wait. A read into too little memory
/// truncates the frame silently: offer a whole MTU plus headers. EIO on write means that the interface is down,
/// EBADFD on either that it is gone.
///
/// **Ownership.** The interface outlives the value where somebody made it persistent (`ip tuntap add`); one that
/// was created by attaching vanishes with its last descriptor. The value owns the descriptor and closes it. If
/// the process dies in any way the kernel closes it: a persistent interface loses its carrier, any other is
/// removed, and nothing else remains.
///
/// **Privilege.** CAP_NET_ADMIN in the namespace's user namespace, or an interface that was given to this user:
/// `ip tuntap add NAME mode tap vnet_hdr user $USER`. A namespace other than the process's own takes
/// CAP_SYS_ADMIN too. Creating an interface takes CAP_NET_ADMIN. It has to be brought up (`ip link set NAME up`)
/// by whoever configures it; this type does not.
package struct TAPDevice: ~Copyable, Sendable {
    /// Lent, not given: valid while this value lives.
    package let descriptor: FileDescriptor
    /// The interface's name.
    package let name: String
    /// Where it is: a name under /run/netns.
    private let namespace: String?
    /// Whether attaching created the interface: there was none of that name. Such an interface is down, has no address
    /// and goes away with the last descriptor.
    package let wasMade: Bool
    /// Whether the interface has a queue for each descriptor; see ``anotherQueue()``.
    private let hasSeveralQueues: Bool

    /// The longest name of an interface in bytes (IFNAMSIZ less its zero).
    package static var maximumNameLength: Int { clinux_tap_name_max }

    /// Attaches to the interface `name`, or creates it. Its frames are whole, with their checksums: no offload is asked
    /// for.
    ///
    /// - Parameters:
    ///   - namespace: a name under /run/netns, or `nil` for the calling thread's namespace. A short-lived thread
    ///     enters it; the descriptor then works everywhere.
    ///   - hasSeveralQueues: whether the interface is one of several queues (IFF_MULTI_QUEUE), of which this is one.
    ///     It is so for good: an interface was made with several queues or with one.
    package init(
        name: String, namespace: String? = nil, hasSeveralQueues: Bool = false
    ) throws(PortError) {
        guard TAPDevice.isValidName(name) else { throw PortError.badInterfaceName(name, in: name) }
        let outcome = TAPDevice.open(name: name, namespace: namespace, hasSeveralQueues: hasSeveralQueues)
        guard outcome.result >= 0 else {
            throw PortError.tap(
                name: name, namespace: namespace, hasSeveralQueues: hasSeveralQueues, step: outcome.step,
                isTAP: outcome.isTAP, Errno(rawValue: -outcome.result))
        }
        descriptor = FileDescriptor(rawValue: outcome.result)
        self.name = name
        self.namespace = namespace
        self.hasSeveralQueues = hasSeveralQueues
        wasMade = outcome.wasMade
    }

    /// Takes a descriptor that is as good as a TAP's: each read gives one frame behind its header and each write takes
    /// one, without waiting. It has no interface.
    init(adopting descriptor: FileDescriptor) {
        self.descriptor = descriptor
        name = ""
        namespace = nil
        hasSeveralQueues = false
        wasMade = false
    }

    /// What an interface is like at one moment.
    package struct Status: Equatable, Sendable {
        /// Somebody has brought it up (`ip link set NAME up`). One that is down takes no frame and gives none.
        package let isUp: Bool
        /// The longest payload of its frames in bytes.
        package let mtu: Int
    }

    /// The interface as it is now; `nil` where it is gone, or cannot be asked for.
    ///
    /// A few system calls, and a short-lived thread where it is in another namespace.
    package var status: Status? { Self.status(name: name, namespace: namespace) }

    /// Whether the interface is up; `false` where it is gone.
    package var isUp: Bool { status?.isUp ?? false }

    /// The same of any interface by name.
    package static func status(name: String, namespace: String?) -> Status? {
        let (errno, status) = ask(name: name, namespace: namespace)
        return errno == nil ? status : nil
    }

    /// Whether there is no interface `name` there; `false` where the place cannot be asked.
    static func isMissing(name: String, namespace: String?) -> Bool {
        ask(name: name, namespace: namespace).errno == .operationNotSupportedByDevice
    }

    private static func ask(name: String, namespace: String?) -> (errno: Errno?, status: Status) {
        unsafe name.withCString { name in
            unsafe withOptionalCString(namespace.map { "/run/netns/\($0)" }) { path in
                var query = unsafe clinux_interface_query(
                    namespace_path: path, name: name, is_up: 0, mtu: 0, result: 0)
                let result = unsafe clinux_interface_ask(&query)
                let status = unsafe Status(isUp: query.is_up != 0, mtu: Int(query.mtu))
                return (result == 0 ? nil : Errno(rawValue: -result), status)
            }
        }
    }

    /// One more queue of the same interface; `nil` where it has one only.
    ///
    /// The kernel spreads flows over the queues, and answers a flow on the queue that it came from
    /// (drivers/net/tun.c, `tun_automq_select_queue`): what belongs together stays in order.
    package func anotherQueue() throws(PortError) -> TAPDevice? {
        guard hasSeveralQueues else { return nil }
        return try TAPDevice(name: name, namespace: namespace, hasSeveralQueues: true)
    }

    deinit {
        try? descriptor.close()
    }

    /// Whether the kernel takes `name` as an interface's (dev_valid_name in net/core/dev.c), and as one, not as
    /// a pattern such as `tap%d`.
    package static func isValidName(_ name: String) -> Bool {
        (1...maximumNameLength).contains(name.utf8.count) && name != "." && name != ".."
            && !name.utf8.contains { byte in
                byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "%")
                    || byte == UInt8(ascii: "@") || byte <= 0x20 || byte == 0x7f
            }
    }

    private static func open(
        name: String, namespace: String?, hasSeveralQueues: Bool
    ) -> (result: Int32, step: clinux_tap_step, wasMade: Bool, isTAP: Bool) {
        unsafe name.withCString { name in
            unsafe withOptionalCString(namespace.map { "/run/netns/\($0)" }) { path in
                var request = unsafe clinux_tap_request(
                    namespace_path: path, name: name, header_size: Int32(NetworkHeader.byteCount),
                    is_multiqueue: hasSeveralQueues ? 1 : 0, step: clinux_tap_step_none, was_made: 0,
                    is_tap: 0, result: 0)
                let result = unsafe clinux_tap_open(&request)
                return unsafe (result, request.step, request.was_made != 0, request.is_tap != 0)
            }
        }
    }

    private static func withOptionalCString<R>(
        _ text: String?, _ body: (UnsafePointer<CChar>?) -> R
    ) -> R {
        guard let text else { return body(nil) }
        return unsafe text.withCString { unsafe body($0) }
    }
}

extension PortError {
    /// The error of a step in attaching to a TAP. `isTAP` says that the interface is one all the same: it has the other
    /// number of queues then.
    static func tap(
        name: String, namespace: String?, hasSeveralQueues: Bool, step: clinux_tap_step, isTAP: Bool,
        _ errno: Errno
    ) -> PortError {
        let place = namespace.map { " in namespace '\($0)'" } ?? ""
        let enter = namespace.map { "ip netns exec \($0) " } ?? ""
        func error(_ code: Code, _ text: String) -> PortError {
            PortError(code: code, errno: errno, context: text)
        }
        switch (step, errno) {
        case (clinux_tap_step_namespace, .noSuchFileOrDirectory):
            return error(
                .noNamespace,
                "there is no network namespace '\(namespace ?? "")': create it with "
                    + "'ip netns add \(namespace ?? "")' or see 'ip netns list'")
        case (clinux_tap_step_namespace, .notPermitted), (clinux_tap_step_namespace, .permissionDenied):
            return error(
                .noPrivilege,
                "no privilege to enter network namespace '\(namespace ?? "")': run as root, or inside it with "
                    + "'\(enter)…' and tap:\(name)")
        case (clinux_tap_step_namespace, .invalidArgument):
            return error(
                .noNamespace,
                "'\(namespace ?? "")' is no network namespace here: run where it was made, or delete it with 'ip netns del"
                    + " \(namespace ?? "")' and make it again")
        case (clinux_tap_step_open, .noSuchFileOrDirectory), (clinux_tap_step_open, .noSuchAddressOrDevice),
            (clinux_tap_step_open, .operationNotSupportedByDevice):
            return error(
                .noTUN,
                "there is no /dev/net/tun: load the driver with 'modprobe tun', or give the container the device"
            )
        case (clinux_tap_step_open, .notPermitted), (clinux_tap_step_open, .permissionDenied):
            return error(
                .noPrivilege,
                "no privilege to open /dev/net/tun: run as root, or as root 'chmod 0666 /dev/net/tun'")
        case (clinux_tap_step_attach, .notPermitted), (clinux_tap_step_attach, .permissionDenied):
            return error(
                .noPrivilege,
                "no privilege to attach to TAP '\(name)'\(place): as root, "
                    + "'\(enter)ip tuntap add \(name) mode tap vnet_hdr user $USER'")
        case (clinux_tap_step_attach, .resourceBusy):
            return error(
                .busy,
                "TAP '\(name)'\(place) is in use by another process: end it or name another interface")
        case (clinux_tap_step_attach, .invalidArgument) where isTAP:
            let (kind, pairs) =
                hasSeveralQueues
                ? ("one queue", "give the device one queue pair")
                : ("several queues", "give the device two queue pairs or more")
            return error(
                .busy,
                "TAP '\(name)'\(place) has \(kind): \(pairs), or delete it with '\(enter)ip link del \(name)' and make it"
                    + " with '\(enter)ip tuntap add \(name) mode tap vnet_hdr\(hasSeveralQueues ? " multi_queue" : "")'"
            )
        case (clinux_tap_step_attach, .invalidArgument):
            return error(
                .busy, "interface '\(name)'\(place) exists and is no TAP: name another")
        default:
            return error(.system, "cannot attach to TAP '\(name)'\(place)")
        }
    }
}
