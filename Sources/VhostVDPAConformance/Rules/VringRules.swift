internal import SystemPackage
internal import VhostVDPA

/// Rules 24 and 27 to 31, and this project's own on rings.
enum VringRules {
    static let all: [Rule] = [
        Rule(
            24, .vrings,
            "GET_VRING_SIZE: EOPNOTSUPP, or the maximum or VRING_NUM until DRIVER_OK and VRING_NUM after it",
            needs: [.onChip, .since(KernelRelease(6, 9))],
            source: "vhost_vdpa_vring_ioctl, vdpasim_get_vq_size",
            note:
                "The kernel's simulator has the operation only with batch_mapping=0, and answers the maximum first."
        ) { device in
            let client = try device.owned()
            let maximum = device.traits.maximumVringSize
            let isSimulator = device.traits.isSimulatorNetwork
            try expect("VRING_NUM 8", client.setVring(Request.setVringNum, 0, 8))
            let before = client.getVring(Request.getVringSize, 0)
            if isSimulator {
                let isMissing = device.traits.mapOperation == .setMap
                try expect(
                    "GET_VRING_SIZE before DRIVER_OK", before,
                    equals: isMissing ? .failure(.operationNotSupported) : .success(maximum))
            } else if before != .failure(.operationNotSupported), before != .success(8) {
                try expect("GET_VRING_SIZE before DRIVER_OK", before, equals: .success(maximum))
            }
            try device.setStatus(client, upTo: 0xf)
            let isMissing = before == .failure(.operationNotSupported)
            try expect(
                "GET_VRING_SIZE after DRIVER_OK", client.getVring(Request.getVringSize, 0),
                equals: isMissing ? .failure(.operationNotSupported) : .success(8))
        },
        Rule(
            27, .vrings,
            "VRING_NUM 0, 3 and 0x10000 are EINVAL; from 6.12 on what is above the maximum as well",
            source: "vhost_vring_set_num, vhost_vdpa_vring_ioctl"
        ) { device in
            let client = try device.owned()
            for size in [UInt32(0), 3, 0x10000] {
                try expect(
                    "VRING_NUM \(size)", client.setVring(Request.setVringNum, 0, size), is: .invalidArgument)
            }
            let maximum = device.traits.maximumVringSize
            try expect("VRING_NUM \(maximum)", client.setVring(Request.setVringNum, 0, maximum))
            guard maximum < 0x8000 else { return }
            try expect(
                "VRING_NUM \(2 * maximum)", client.setVring(Request.setVringNum, 0, 2 * maximum),
                is: device.kernel >= KernelRelease(6, 12) ? .invalidArgument : nil)
            // What was refused has changed nothing.
            try expect("VRING_NUM 8", client.setVring(Request.setVringNum, 0, 8))
            try expect("VRING_NUM 3", client.setVring(Request.setVringNum, 0, 3), is: .invalidArgument)
            try device.setStatus(client, upTo: 0xf)
            guard case .success(let size) = client.getVring(Request.getVringSize, 0) else { return }
            try expect("GET_VRING_SIZE after DRIVER_OK", size, equals: 8)
        },
        Rule(
            28, .vrings, "VRING_ADDR: flags but the log's are EOPNOTSUPP, misaligned rings and logs EINVAL",
            source: "vhost_vring_set_addr"
        ) { device in
            let client = try device.owned()
            try expect("flags 2", client.setAddresses(0, flags: 2), is: .operationNotSupported)
            try expect("avail at an odd address", client.setAddresses(0, avail: 0x2001), is: .invalidArgument)
            try expect("used not a multiple of 4", client.setAddresses(0, used: 0x3002), is: .invalidArgument)
            try expect("log not a multiple of 4", client.setAddresses(0, log: 2), is: .invalidArgument)
            try expect("all aligned, flags 1", client.setAddresses(0, flags: 1))
            try expect("all aligned", client.setAddresses(0))
        },
        Rule(
            29, .vrings,
            "VRING_ADDR and VRING_BASE after DRIVER_OK are EINVAL, after SUSPEND they succeed; 6.1 takes them always",
            source: "vhost_vdpa_vring_ioctl",
            note:
                "Verified on 6.12.117 and 6.1.192. vdpa_sim moves the ring at once, and its used index stays where it is."
        ) { device in
            let client = try device.owned()
            try device.setStatus(client, upTo: 0xf)
            let expected: Errno? = device.kernel < KernelRelease(6, 5) ? nil : .invalidArgument
            try expect("VRING_ADDR", client.setAddresses(0), is: expected)
            if device.traits.mapOperation != .platform || expected != nil {
                try expect("VRING_BASE 5", client.setVring(Request.setVringBase, 0, 5), is: expected)
                try expectBase(expected == nil ? 5 : 0, of: client, device)
            }
            guard device.traits.backendFeatures & 1 << BackendBit.suspend != 0 else { return }
            try expect("SUSPEND", client.call(Request.suspend))
            try expect("VRING_ADDR", client.setAddresses(0))
            try expect("VRING_BASE 7", client.setVring(Request.setVringBase, 0, 7))
            try expectBase(7, of: client, device)
            guard device.traits.isSimulatorNetwork, device.traits.noTraffic == nil else { return }
            client.close()
            try moveLiveRing(device)
        },
        Rule(
            30, .vrings, "VRING_BASE 0x10000 is EINVAL for a split ring", source: "vhost_vring_ioctl"
        ) { device in
            let client = try device.owned()
            try device.setStatus(client, upTo: 0xb)
            try expect(
                "VRING_BASE 0x10000", client.setVring(Request.setVringBase, 0, 0x10000), is: .invalidArgument)
            try expect("VRING_BASE 0", client.setVring(Request.setVringBase, 0, 0))
            // vp_vdpa can tell no base, and takes no other.
            guard case .success = client.getVring(Request.getVringBase, 0) else { return }
            try expect("VRING_BASE 0xffff", client.setVring(Request.setVringBase, 0, 0xffff))
            try expect(
                "VRING_BASE 0x10000", client.setVring(Request.setVringBase, 0, 0x10000), is: .invalidArgument)
            try expectBase(0xffff, of: client, device)
        },
        Rule(
            31, .vrings, "KICK, CALL and ERR: a closed descriptor is EBADF, /dev/null EINVAL, -1 unbinds",
            source: "vhost_vring_ioctl"
        ) { device in
            let client = try device.owned()
            let event = try EventCounter()
            let null: FileDescriptor
            do {
                null = try FileDescriptor.open(FilePath("/dev/null"), .readWrite, retryOnInterrupt: false)
            } catch let error as Errno {
                throw CallerShortage.interruption("/dev/null", error)
            }
            defer { try? null.close() }
            let requests = [
                ("KICK", Request.setVringKick), ("CALL", Request.setVringCall), ("ERR", Request.setVringErr),
            ]
            for (title, request) in requests {
                try expect(
                    "\(title) 9999", client.setVring(request, 0, file: 9999), is: .badFileDescriptor)
                try expect(
                    "\(title) /dev/null", client.setVring(request, 0, file: null.rawValue),
                    is: .invalidArgument)
                try expect(
                    "\(title) an eventfd", client.setVring(request, 0, file: event.descriptor.rawValue))
                try expect("\(title) -1", client.setVring(request, 0, file: -1))
            }
        },
        Rule(
            104, .vrings,
            "A queue enabled before its addresses is dead; switched off and on again it serves. VDUSE's serves at once",
            needs: [.traffic, .onChip],
            source: "vdpasim_set_vq_ready, vdpasim_queue_ready, vduse_vdpa_set_vq_ready",
            note: "QEMU 11.1.3 without a control queue enables first: no packet flows."
        ) { device in
            let (client, driver) = try device.mapped()
            // The open has reset the device, so the queue has no addresses: it is enabled with a ring at 0.
            try driver.enable(client, queue: 1, 1)
            try driver.start(client)
            // VDUSE notes that the queue is enabled and tells nobody: whoever serves it asks for the ring when it starts.
            guard !device.opener.isServedByProcess else {
                try driver.expectTraffic("enabled before the addresses")
                try driver.enable(client, queue: 1, 0)
                try driver.enable(client, queue: 1, 1)
                try driver.expectTraffic("off and on again")
                return
            }
            try driver.expectNoTraffic("enabled before the addresses")
            try driver.enable(client, queue: 1, 0)
            try driver.enable(client, queue: 1, 1)
            driver.kick()
            try driver.expectProgress("off and on again, after a kick")
        },
        Rule(
            105, .vrings,
            "GET_VRING_BASE of a stopped queue is its position, and a start from there goes on with the same ring",
            needs: [.traffic, .backendFeature(BackendBit.suspend)],
            source: "vdpasim_get_vq_state, vdpasim_set_vq_state"
        ) { device in
            let (client, driver) = try device.mapped()
            try driver.start(client)
            for frame in 1...3 { try driver.expectTraffic("frame \(frame)") }
            try expect("SUSPEND", client.call(Request.suspend))
            let receive = try value("GET_VRING_BASE 0", client.getVring(Request.getVringBase, 0))
            try expect(
                "GET_VRING_BASE 1", client.getVring(Request.getVringBase, 1), equals: .success(UInt32(3)))
            try expect("INVALIDATE", driver.unmap(client))
            try expect("reset", client.setStatus(0))
            try expect("UPDATE", driver.map(client))
            driver.post()
            try driver.start(client, goingOnAt: [receive, 3])
            driver.kick()
            try driver.expectProgress("a frame posted while stopped, after the kick")
            try driver.expectTraffic("the next frame")
            try expect("SUSPEND", client.call(Request.suspend))
            try expect(
                "GET_VRING_BASE 1", client.getVring(Request.getVringBase, 1), equals: .success(UInt32(5)))
        },
    ]

    /// GET_VRING_BASE of queue 0, where the parent can tell: VDUSE asks a daemon that has not heard of the base yet.
    private static func expectBase(
        _ base: UInt32, of client: RuleClient, _ device: RuleContext
    ) throws(RuleInterruption) {
        let asksDaemon = device.traits.mapOperation == .setMap && device.traits.keepsMapsOverReset
        guard !asksDaemon, case .success(let seen) = client.getVring(Request.getVringBase, 0) else { return }
        try expect("GET_VRING_BASE", seen, equals: base)
    }

    /// Moves vdpa_sim's transmit ring back to its first entry: suspended, or running where the kernel takes that. The
    /// entry is taken a second time, and the used index goes on.
    private static func moveLiveRing(_ device: RuleContext) throws(RuleInterruption) {
        let (client, driver) = try device.running()
        let isLive = device.kernel < KernelRelease(6, 5)
        if !isLive { try expect("SUSPEND", client.call(Request.suspend)) }
        try expect("VRING_BASE 1 0", client.setVring(Request.setVringBase, 1, 0))
        try expect("GET_VRING_BASE 1", client.getVring(Request.getVringBase, 1), equals: .success(UInt32(0)))
        if !isLive { try expect("RESUME", client.call(Request.resume)) }
        driver.kick()
        try driver.expectUsedIndex(2, "the first entry, taken again")
        try expect("GET_VRING_BASE 1", client.getVring(Request.getVringBase, 1), equals: .success(UInt32(1)))
    }
}
