import LinuxHost
import SystemPackage
import Testing

/// Rules 1 to 38, and this project's own on kicks.
extension Breaks {
    static let files: [Case] = [
        alter(1, "a second open succeeds", Break(opensTwice: true)),
        turned(2, "a second SET_OWNER succeeds", Number.setOwner, from: .resourceBusy, to: nil),
        turned(3, "VRING_NUM needs no owner", Number.setVringNum, from: .notPermitted, to: nil) { scene, _ in
            !scene.isOwned
        },
        turned(4, "VRING_NUM takes any process", Number.setVringNum, from: .notPermitted, to: nil) {
            scene, _ in scene.isOwned
        },
        message(5, "UPDATE needs no owner", from: .badAddress, to: nil) { scene, message in
            message.kind == 2 && !scene.isOwned
        },
        turned(6, "no such queue is EINVAL", Number.setVringNum, from: .noBufferSpace, to: .invalidArgument),
        turned(
            7, "an unknown request is EINVAL", Number.unknown, from: Errno(rawValue: 25), to: .invalidArgument
        ),
        turned(8, "SET_LOG_BASE succeeds", Number.setLogBase, from: Errno(rawValue: 25), to: nil),
        turned(9, "RESET_OWNER succeeds", Number.resetOwner, from: .badAddress, to: nil),
        alter(
            10, "an eventfd in the file's place",
            Break(descriptor: { try #require(signalled).descriptor })),
        alter(
            11, "backend feature 9 is offered",
            Break(ioctl: { scene, ioctl in
                let answer = scene.forward(ioctl)
                if ioctl.request == Number.getBackendFeatures { ioctl.store(ioctl.value | 1 << 9) }
                return answer
            })),
        turned(
            12, "unknown backend features are taken", Number.setBackendFeatures, from: unsupported, to: nil
        ) { _, ioctl in ioctl.value & ~0x1fe != 0 },
        turned(
            13, "IOTLB_PERSIST needs an owner", Number.setBackendFeatures, from: nil, to: unsupported
        ) { scene, ioctl in ioctl.value & 1 << 8 != 0 && !scene.isOwned },
        turned(
            14, "DESC_ASID alone is EOPNOTSUPP", Number.setBackendFeatures, from: .invalidArgument,
            to: unsupported),
        turned(
            15, "ENABLE_AFTER_DRIVER_OK is refused", Number.setBackendFeatures, from: nil, to: unsupported
        ) { _, ioctl in ioctl.value & 1 << 6 != 0 },
        turned(
            16, "SET_BACKEND_FEATURES is EBUSY after DRIVER_OK", Number.setBackendFeatures, from: nil,
            to: .resourceBusy, tied: [65: "withdraws the acknowledgement of a running device"]
        ) { scene, _ in scene.isRunning },
        turned(
            17, "features without ACCESS_PLATFORM are taken", Number.setFeatures, from: .invalidArgument,
            to: nil),
        turned(
            18, "the pointer is looked at first", Number.setFeatures, from: .resourceBusy, to: .badAddress),
        turned(19, "a status bit can be dropped", Number.setStatus, from: .invalidArgument, to: nil),
        turned(20, "DRIVER_OK needs DRIVER", Number.setStatus, from: nil, to: .invalidArgument) { _, ioctl in
            ioctl.byte == 4
        },
        turned(21, "GET_CONFIG looks at no bounds", Number.getConfig, from: .invalidArgument, to: nil),
        alter(
            22, "there is a fourth queue", on: simulator,
            Break(ioctl: { scene, ioctl in
                let answer = scene.forward(ioctl)
                if ioctl.request == Number.getVqsCount { ioctl.store(UInt32(4)) }
                return answer
            })),
        turned(23, "VRING_GROUP is EIO", Number.getVringGroup, from: nil, to: .ioError),
        turned(
            24, "GET_VRING_SIZE answers", Number.getVringSize, from: unsupported, to: nil,
            tied: [27: "looks for the size that was set, where it is told"]),
        turned(
            25, "a group beyond the queues is EINVAL", Number.setGroupASID, from: .noBufferSpace,
            to: .invalidArgument),
        turned(
            26, "SET_GROUP_ASID is EBUSY after DRIVER_OK", Number.setGroupASID, from: nil, to: .resourceBusy
        ) { scene, _ in scene.isRunning },
        turned(
            26, "SET_GROUP_ASID succeeds after DRIVER_OK", Number.setGroupASID, from: .resourceBusy, to: nil,
            on: "sim,kernel=7.2,entries=64"),
    ]

    static let queues: [Case] = [
        turned(27, "any ring size is taken", Number.setVringNum, from: .invalidArgument, to: nil),
        alter(
            27, "a size that is refused is set all the same", on: "sim,parent=dma-map,entries=64",
            Break(ioctl: { scene, ioctl in
                let answer = scene.forward(ioctl)
                if ioctl.request == Number.setVringNum, ioctl.word(1) == 3 {
                    scene.call(ioctl.request, UInt64(ioctl.word(0)) | 4 << 32)
                }
                return answer
            })),
        turned(
            28, "unknown flags are EINVAL", Number.setVringAddr, from: unsupported, to: .invalidArgument),
        turned(
            29, "a running ring takes a base", Number.setVringBase, from: .invalidArgument, to: nil
        ) { scene, _ in scene.isRunning },
        turned(
            29, "a running ring of 6.1 takes no base", Number.setVringBase, from: nil, to: .invalidArgument,
            on: "sim,kernel=6.1"
        ) { scene, _ in scene.isRunning },
        swallowed(29, "a base that is set while suspended is forgotten") { scene, ioctl in
            ioctl.request == Number.setVringBase && scene.isSuspended
        },
        alter(
            29, "a base takes the used index along", on: simulator,
            Break(ioctl: { scene, ioctl in
                if ioctl.request == Number.resume, scene.isSuspended {
                    for queue in scene.enabled.sorted() {
                        scene.call(Number.setVringEnable, UInt64(queue))
                        scene.call(Number.setVringEnable, UInt64(queue) | 1 << 32)
                    }
                }
                return scene.forward(ioctl)
            })),
        alter(
            30, "a base that is refused is set all the same",
            Break(ioctl: { scene, ioctl in
                let answer = scene.forward(ioctl)
                if ioctl.request == Number.setVringBase, ioctl.word(1) > 0xffff {
                    scene.call(ioctl.request, UInt64(ioctl.word(0)))
                }
                return answer
            })),
        turned(
            30, "a split ring takes a base of 17 bits", Number.setVringBase, from: .invalidArgument, to: nil
        ) { _, ioctl in ioctl.word(1) > 0xffff },
        turned(
            31, "a closed descriptor is EINVAL", Number.setVringKick, from: .badFileDescriptor,
            to: .invalidArgument),
        turned(32, "SUSPEND needs DRIVER_OK", Number.suspend, from: nil, to: unsupported) { scene, _ in
            !scene.isRunning
        },
        swallowed(
            33, "SUSPEND does nothing",
            tied: [29: "sets a ring's addresses once suspended"]
        ) { _, ioctl in ioctl.request == Number.suspend },
        swallowed(33, "a RESUME without SUSPEND does nothing", on: simulator) { scene, ioctl in
            ioctl.request == Number.resume && !scene.isSuspended
        },
        alter(
            34, "DRIVER_OK kicks",
            Break(ioctl: { scene, ioctl in
                let isStarting = ioctl.request == Number.setStatus && ioctl.byte & 4 != 0
                let answer = scene.forward(ioctl)
                if isStarting { for kick in scene.kicks.values { signal(kick) } }
                return answer
            })),
        swallowed(35, "unbinding a kick does nothing") { _, ioctl in
            ioctl.request == Number.setVringKick && ioctl.word(1) == .max
        },
        aroundReset(36, "a reset keeps the call eventfd") { scene, reset in
            let calls = scene.calls
            defer {
                for (queue, call) in calls {
                    scene.call(Number.setVringCall, UInt64(queue) | UInt64(call) << 32)
                }
            }
            return reset()
        },
        alter(
            37, "enabling a queue again switches it off",
            Break(ioctl: { scene, ioctl in
                let isAgain =
                    ioctl.request == Number.setVringEnable && ioctl.word(1) != 0
                    && scene.enabled.contains(ioctl.word(0))
                return isAgain ? scene.call(ioctl.request, UInt64(ioctl.word(0))) : scene.forward(ioctl)
            })),
        alter(38, "a doorbell's mapping is EPERM", Break(mapErrno: .notPermitted)),
        swallowed(
            101, "switching a queue off does nothing",
            tied: [104: "switches a queue off to give it its addresses"]
        ) { _, ioctl in
            ioctl.request == Number.setVringEnable && ioctl.word(1) == 0
        },
        alter(
            102, "binding the same kick eventfd polls it anew",
            Break(ioctl: { scene, ioctl in
                if ioctl.request == Number.setVringKick, scene.kicks[ioctl.word(0)] == ioctl.word(1) {
                    scene.call(ioctl.request, UInt64(ioctl.word(0)) | UInt64(UInt32.max) << 32)
                }
                return scene.forward(ioctl)
            })),
        alter(
            104, "enabling a queue again takes its new addresses",
            Break(ioctl: { scene, ioctl in
                let isAgain =
                    ioctl.request == Number.setVringEnable && ioctl.word(1) != 0
                    && scene.enabled.contains(ioctl.word(0))
                if isAgain { scene.call(ioctl.request, UInt64(ioctl.word(0))) }
                return scene.forward(ioctl)
            })),
        alter(
            105, "GET_VRING_BASE is 0",
            tied: [29: "sets a base and looks at it", 30: "the same"],
            Break(ioctl: { scene, ioctl in
                let answer = scene.forward(ioctl)
                if ioctl.request == Number.getVringBase { ioctl.store(UInt64(ioctl.word(0))) }
                return answer
            })),
        turned(
            69, "any descriptor is taken", Number.setConfigCall, from: .badFileDescriptor, to: nil),
    ]

    static let controlQueue: [Case] = [
        alter(
            70, "the configuration keeps another MAC", on: simulator,
            Break(ioctl: { scene, ioctl in
                let answer = scene.forward(ioctl)
                // The header's two words, then the MAC: its first four bytes.
                if ioctl.request == Number.getConfig, ioctl.word(1) == 6 {
                    ioctl.store(ioctl.word(2) ^ 1, atWord: 2)
                }
                return answer
            })),
        startingWithoutReceiveBuffers(71, "an empty receive ring switches the device off") { scene, _ in
            scene.call(Number.setVringEnable, 0)
        },
        startingWithoutReceiveBuffers(71, "a receive buffer is found where none was given") { _, ring in
            ring.offerBuffer()
        },
    ]

    /// What the break does at DRIVER_OK to a receive ring in which the driver has put nothing.
    private static func startingWithoutReceiveBuffers(
        _ rule: Int, _ what: String, _ body: @escaping @Sendable (Scene, ReceiveRing) -> Void
    ) -> Case {
        alter(
            rule, what, on: simulator,
            Break(ioctl: { scene, ioctl in
                let answer = scene.forward(ioctl)
                if ioctl.request == Number.setStatus, ioctl.byte & 4 != 0, let ring = ReceiveRing(scene),
                    ring.isEmpty
                {
                    body(scene, ring)
                }
                return answer
            }))
    }

    private static func signal(_ descriptor: UInt32) {
        EventFD.signal(FileDescriptor(rawValue: Int32(bitPattern: descriptor)))
    }

    /// An eventfd that can be read and waited for, as no file of a device can.
    private static let signalled: SharedEventFD? = {
        let event = try? SharedEventFD()
        event?.event.signal()
        return event
    }()
}
