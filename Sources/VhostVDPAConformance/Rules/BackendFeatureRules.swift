internal import SystemPackage

/// Rules 11 to 16.
enum BackendFeatureRules {
    private static let v6_7 = KernelRelease(6, 7)

    static let all: [Rule] = [
        Rule(
            11, .backendFeatures,
            "Bits 1 to 3 are always offered, none from 9 on; vdpa_sim: 0x17e, before 6.7 0x1e",
            source: "vhost_vdpa_get_backend_features"
        ) { device in
            let client = try device.open()
            let offered = try value(
                "GET_BACKEND_FEATURES", client.get(Request.getBackendFeatures, count: 8))
            try expect("bits 1 to 3", offered & 0xe, equals: 0xe)
            try expect("bits 0 and 9 to 63", offered & ~0x1fe, equals: 0)
            if device.traits.isSimulatorNetwork {
                let persist: UInt64 = device.opener.lacksResetMap ? 0 : 1 << BackendBit.persist
                try expect("backend features", offered, equals: device.kernel < v6_7 ? 0x1e : 0x7e | persist)
            }
        },
        Rule(
            12, .backendFeatures, "SET_BACKEND_FEATURES with bit 9, or bit 0, is EOPNOTSUPP",
            source: "vhost_vdpa_unlocked_ioctl"
        ) { device in
            let client = try device.open()
            for bit in [UInt64(0), 9, 63] {
                try expect("bit \(bit)", client.acknowledge(1 << bit), is: .operationNotSupported)
            }
        },
        Rule(
            13, .backendFeatures,
            "SET_BACKEND_FEATURES with IOTLB_PERSIST succeeds exactly where it is offered",
            source: "vhost_vdpa_has_persistent_map"
        ) { device in
            let isOffered = device.traits.backendFeatures & 1 << BackendBit.persist != 0
            let client = try device.open()
            try expect(
                "IOTLB_PERSIST", client.acknowledge(1 << BackendBit.persist),
                is: isOffered ? nil : .operationNotSupported)
        },
        Rule(
            14, .backendFeatures,
            "DESC_ASID without IOTLB_ASID is EINVAL; with it, EOPNOTSUPP unless offered",
            needs: [.since(v6_7)], source: "vhost_vdpa_unlocked_ioctl"
        ) { device in
            let client = try device.open()
            try expect("bit 7", client.acknowledge(1 << 7), is: .invalidArgument)
            let isOffered = device.traits.backendFeatures & 1 << BackendBit.descriptorSpace != 0
            try expect(
                "bits 3 and 7", client.acknowledge(1 << 7 | 1 << 3),
                is: isOffered ? nil : .operationNotSupported)
        },
        Rule(
            15, .backendFeatures, "Bits 1, 2, 3 and 6 are accepted unchecked, offered or not",
            needs: [.since(v6_7)], source: "vhost_vdpa_unlocked_ioctl"
        ) { device in
            let client = try device.open()
            try expect("0x4e", client.acknowledge(0x4e))
            try expect("0", client.acknowledge(0))
        },
        Rule(
            16, .backendFeatures, "SET_BACKEND_FEATURES after DRIVER_OK succeeds",
            source: "vhost_vdpa_unlocked_ioctl"
        ) { device in
            let client = try device.owned()
            try device.setStatus(client, upTo: 0xf)
            try expect("0x6", client.acknowledge(0x6))
        },
    ]
}
