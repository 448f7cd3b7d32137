internal import DeviceScripts
internal import SystemPackage

/// Rules on who calls.
enum OwnershipRules {
    static let all: [ClientRule] = [
        ClientRule(
            224, .ownership, .error,
            "One process has the device: no other changes it by an inherited descriptor",
            reason:
                "vhost's owner is an address space. A forked child is another: its vring requests are EPERM and its"
                + " messages EFAULT, but SET_STATUS, SET_FEATURES and the like work, and a child that cleans up resets its"
                + " parent's device.",
            advice:
                "open the device in the process that uses it, or close it in the child (O_CLOEXEC closes at exec alone)",
            source: "vhost_dev_check_owner, drivers/vhost/vhost.c; vhost_vdpa_unlocked_ioctl"
        ) { moment in
            guard moment.caller == .child, moment.file.isOwned else { return [] }
            switch moment.answer {
            case .error(.notPermitted):
                return moment.breach("another address space than the owner's is refused")
            case .error(.badAddress) where moment.message != nil:
                return moment.breach("another address space than the owner's sends a message")
            default:
                guard moment.isSuccess, let request = moment.request, changing.contains(request) else {
                    return []
                }
                return moment.breach("another address space than the owner's changes the device")
            }
        }
    ]

    /// What anybody may ask that changes the device.
    private static let changing: Set = [
        "SET_STATUS", "SET_FEATURES", "SET_BACKEND_FEATURES", "SET_CONFIG", "SET_CONFIG_CALL", "SUSPEND",
        "RESUME",
    ]
}
