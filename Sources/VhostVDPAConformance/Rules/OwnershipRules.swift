internal import CLinux
internal import SystemPackage

/// Rules 1 to 10.
enum OwnershipRules {
    static let all: [Rule] = [
        Rule(
            1, .ownership, "A second open is EBUSY; after close it succeeds", source: "vhost_vdpa_open"
        ) { device in
            let first = try device.open()
            try expect("a second open", device.openError(), is: .resourceBusy)
            first.close()
            try expect("open after close", device.openError())
        },
        Rule(
            2, .ownership, "SET_OWNER twice is EBUSY, even for the owner", source: "vhost_dev_set_owner"
        ) { device in
            let client = try device.owned()
            try expect("a second SET_OWNER", client.call(Request.setOwner), is: .resourceBusy)
        },
        Rule(
            3, .ownership, "Without an owner SET_VRING_NUM is EPERM; status and features are answered",
            source: "vhost_vdpa_unlocked_ioctl, vhost_dev_ioctl"
        ) { device in
            let client = try device.open()
            try expect("SET_VRING_NUM", client.setVring(Request.setVringNum, 0, 256), is: .notPermitted)
            try expect("GET_STATUS", client.get(Request.getStatus, count: 1), equals: .success(0))
            try expect(
                "GET_FEATURES", client.get(Request.getFeatures, count: 8),
                equals: .success(device.traits.features))
            try expect("SET_FEATURES", client.call(Request.setFeatures, device.traits.driverFeatures))
        },
        Rule(
            4, .ownership, "A vring ioctl from a forked child is EPERM", source: "vhost_dev_check_owner"
        ) { device in
            let client = try device.owned()
            guard let fromChild = device.opener.ioctlFromChild else {
                throw RuleInterruption.notApplicable(
                    reason: "whoever asks has no way to call the device from another process")
            }
            var words = RuleClient.bytes(UInt64(8) << 32)
            let seen = unsafe words.withUnsafeMutableBytes { buffer in
                fromChild(client.callee, Request.setVringNum, UInt(bitPattern: buffer.baseAddress))
            }
            try expect("SET_VRING_NUM from a child", seen, is: .notPermitted)
            try expect("SET_VRING_NUM from the owner", client.setVring(Request.setVringNum, 0, 8))
        },
        Rule(
            5, .ownership, "UPDATE without an owner is EFAULT", source: "vhost_vdpa_process_iotlb_msg"
        ) { device in
            let client = try device.open()
            let pages = try TestPages(pages: 1)
            try expect("UPDATE", client.update(0x1000_0000, pages), is: .badAddress)
            try expect("SET_OWNER", client.call(Request.setOwner))
            try expect("UPDATE by the owner", client.update(0x1000_0000, pages))
        },
        Rule(
            6, .ownership, "A vring index of the number of queues is ENOBUFS",
            source: "vhost_vdpa_vring_ioctl"
        ) { device in
            let client = try device.owned()
            let count = device.traits.vringCount
            try expect(
                "SET_VRING_NUM \(count)", client.setVring(Request.setVringNum, count, 8), is: .noBufferSpace)
            try expect("SET_VRING_NUM \(count - 1)", client.setVring(Request.setVringNum, count - 1, 8))
        },
        Rule(
            7, .ownership, "An unknown request is ENOTTY with an owner, EPERM without",
            source: "vhost_vring_ioctl"
        ) { device in
            let client = try device.open()
            try expect("request 0xee", client.call(Request.unknown, UInt64(0)), is: .notPermitted)
            try expect("SET_OWNER", client.call(Request.setOwner))
            try expect("request 0xee", client.call(Request.unknown, UInt64(0)), is: .unknownRequest)
        },
        Rule(
            8, .ownership, "SET_LOG_BASE is ENOTTY, owner or not", source: "vhost_vdpa_unlocked_ioctl"
        ) { device in
            let client = try device.open()
            try expect("SET_LOG_BASE", client.call(Request.setLogBase, UInt64(0)), is: .unknownRequest)
        },
        Rule(
            9, .ownership, "RESET_OWNER(NULL) with an owner is EFAULT, and the owner stays",
            source: "vhost_vdpa_vring_ioctl"
        ) { device in
            let client = try device.owned()
            try expect("RESET_OWNER", client.call(Request.resetOwner), is: .badAddress)
            try expect("SET_VRING_NUM", client.setVring(Request.setVringNum, 0, 8))
        },
        Rule(
            10, .ownership, "read() is EINVAL, epoll ADD is EPERM", needs: [.descriptor],
            source: "vhost_vdpa_fops"
        ) { device in
            let client = try device.open()
            guard let number = device.opener.descriptor?(client.callee)?.rawValue else {
                throw RuleInterruption.notApplicable(reason: "the device has no descriptor")
            }
            try expect("read", Errno(rawValue: clinux_read_error(number)), is: .invalidArgument)
            try expect("epoll ADD", Errno(rawValue: clinux_epoll_add(number)), is: .notPermitted)
        },
    ]
}
