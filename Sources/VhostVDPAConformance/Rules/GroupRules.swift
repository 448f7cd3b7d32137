internal import SystemPackage

/// Rules 23, 25, 26 and 66.
enum GroupRules {
    static let all: [Rule] = [
        Rule(
            23, .groups,
            "VRING_GROUP names a group that exists, or is EOPNOTSUPP; DESC_GROUP is EOPNOTSUPP unless offered",
            source: "vhost_vdpa_vring_ioctl",
            note: "Before 6.7 DESC_GROUP is unknown: ENOTTY."
        ) { device in
            let client = try device.owned()
            for queue in 0..<device.traits.vringCount {
                switch client.getVring(Request.getVringGroup, queue) {
                case .failure(let error):
                    try expect("VRING_GROUP \(queue)", error, is: .operationNotSupported)
                case .success(let group):
                    try expect(
                        "VRING_GROUP \(queue) below \(device.traits.groupCount)",
                        group < device.traits.groupCount, equals: true)
                }
            }
            if device.traits.isSimulatorNetwork {
                for (queue, group) in [(0, 0), (1, 0), (2, 1)] as [(UInt32, UInt32)] {
                    try expect(
                        "VRING_GROUP \(queue)", client.getVring(Request.getVringGroup, queue),
                        equals: .success(group))
                }
            }
            guard device.traits.backendFeatures & 1 << BackendBit.descriptorSpace == 0 else { return }
            let isKnown = device.kernel >= KernelRelease(6, 7)
            try expect(
                "DESC_GROUP 0", client.getVring(Request.getVringDescGroup, 0),
                equals: .failure(isKnown ? .operationNotSupported : .unknownRequest))
        },
        Rule(
            25, .groups,
            "SET_GROUP_ASID: a group not below the number of queues is ENOBUFS, one that is not there EINVAL,"
                + " a space that is not there EINVAL",
            source: "vhost_vdpa_vring_ioctl"
        ) { device in
            let client = try device.owned()
            let traits = device.traits
            try expect(
                "(\(traits.vringCount), 0)", client.setVring(Request.setGroupASID, traits.vringCount, 0),
                is: .noBufferSpace)
            if traits.groupCount < traits.vringCount {
                try expect(
                    "(\(traits.groupCount), 0)", client.setVring(Request.setGroupASID, traits.groupCount, 0),
                    is: .invalidArgument)
            }
            try expect(
                "(0, \(traits.addressSpaceCount))",
                client.setVring(Request.setGroupASID, 0, traits.addressSpaceCount), is: .invalidArgument)
            let last = traits.groupCount - 1
            try expect(
                "(\(last), \(traits.addressSpaceCount - 1))",
                client.setVring(Request.setGroupASID, last, traits.addressSpaceCount - 1),
                is: traits.addressSpaceCount > 1 ? nil : .operationNotSupported)
        },
        Rule(
            26, .groups, "SET_GROUP_ASID after DRIVER_OK succeeds; from 7.2 on it is EBUSY",
            needs: [.addressSpaces(2)], source: "vhost_vdpa_vring_ioctl"
        ) { device in
            let client = try device.owned()
            try device.setStatus(client, upTo: 0xf)
            try expect(
                "(0, 1)", client.setVring(Request.setGroupASID, 0, 1),
                is: device.kernel >= KernelRelease(7, 2) ? .resourceBusy : nil)
        },
        Rule(
            66, .groups, "A reset sends every group back to address space 0",
            needs: [.traffic, .addressSpaces(2), .backendFeature(BackendBit.persist)],
            source: "vdpasim_do_reset"
        ) { device in
            let client = try device.owned(acknowledging: 1 << BackendBit.persist | 1 << 3)
            let driver = try device.driver()
            let other = try TestPages(pages: 1)
            // A map of its own takes space 0 out of identity.
            try expect("UPDATE in space 0", client.update(driver.iova + 0x100_0000, other))
            try expect("UPDATE in space 1", driver.map(client, asid: 1))
            func moveQueues() throws(RuleInterruption) {
                for group in try device.groupsOfFirstQueue(client) {
                    try expect("SET_GROUP_ASID", client.setVring(Request.setGroupASID, group, 1))
                }
            }
            try moveQueues()
            try driver.start(client)
            try driver.expectTraffic("group 0 in space 1")
            try device.restart(client, driver)
            try driver.expectNoTraffic("after the reset")
            try expect("reset", client.setStatus(0))
            try moveQueues()
            try driver.start(client)
            try driver.expectTraffic("group 0 in space 1 again")
        },
    ]
}

extension RuleContext {
    /// The group of queue 0, and that of its descriptors where it has one of its own.
    fileprivate func groupsOfFirstQueue(_ client: RuleClient) throws(RuleInterruption) -> [UInt32] {
        guard traits.backendFeatures & 1 << BackendBit.descriptorSpace != 0 else { return [0] }
        let descriptors = try value("GET_VRING_DESC_GROUP 0", client.getVring(Request.getVringDescGroup, 0))
        return descriptors == 0 ? [0] : [0, descriptors]
    }
}
