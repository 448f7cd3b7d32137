internal import CLinux
internal import SystemPackage

/// Rules 21, 22 and 69.
enum ConfigurationRules {
    static let all: [Rule] = [
        Rule(
            21, .configuration, "GET_CONFIG of nothing, beyond the end or over it is EINVAL",
            source: "vhost_vdpa_config_validate"
        ) { device in
            let client = try device.open()
            let size = device.traits.configurationSize
            for (offset, length) in [(0, 0), (size + 1, 1), (size, 1), (size - 4, 5), (0, size + 1)] {
                try expect(
                    "offset \(offset), length \(length)",
                    client.getConfiguration(offset: offset, length: length).map(\.count),
                    equals: .failure(.invalidArgument))
            }
            try expect(
                "offset \(size - 1), length 1",
                client.getConfiguration(offset: size - 1, length: 1).map(\.count), equals: .success(1))
        },
        Rule(
            22, .configuration,
            "vdpa_sim_net: 24 bytes of configuration, 3 queues of 256, 2 groups, 2 spaces, device type 1",
            needs: [.simulatorNetwork], source: "vdpasim_net_dev_add"
        ) { device in
            let client = try device.open()
            let numbers: [(String, UInt, Int, UInt64)] = [
                ("GET_CONFIG_SIZE", Request.getConfigSize, 4, 24),
                ("GET_VQS_COUNT", Request.getVqsCount, 4, 3),
                ("GET_GROUP_NUM", Request.getGroupNum, 4, 2), ("GET_AS_NUM", Request.getASNum, 4, 2),
                ("GET_VRING_NUM", Request.getVringNum, 2, 256),
                ("GET_DEVICE_ID", Request.getDeviceID, 4, 1),
            ]
            for (title, request, count, expected) in numbers {
                try expect(title, client.get(request, count: count), equals: .success(expected))
            }
        },
        Rule(
            69, .configuration, "SET_CONFIG_CALL with a bad descriptor fails; -1 unbinds",
            source: "vhost_vdpa_set_config_call"
        ) { device in
            let client = try device.owned()
            let event = try EventCounter()
            let bind = client.call(Request.setConfigCall, UInt32(bitPattern: event.descriptor.rawValue))
            try expect("an eventfd", bind)
            try expect(
                "descriptor 9999", client.call(Request.setConfigCall, UInt32(9999)), is: .badFileDescriptor)
            try expect("-1", client.call(Request.setConfigCall, UInt32.max))
        },
    ]
}
