internal import SystemPackage

/// Rules 17 to 20.
enum StatusRules {
    static let all: [Rule] = [
        Rule(
            17, .status, "SET_FEATURES without ACCESS_PLATFORM is EINVAL", needs: [.onChip],
            source:
                "vdpasim_set_driver_features, mlx5_vdpa_set_driver_features, vduse_vdpa_set_driver_features",
            note: "VDUSE takes it: its process decides at FEATURES_OK."
        ) { device in
            let client = try device.open()
            let withoutPlatform = device.traits.driverFeatures & ~(1 << 33)
            try expect(
                "without bit 33", client.call(Request.setFeatures, withoutPlatform),
                is: device.opener.isServedByProcess ? nil : .invalidArgument)
            try expect("with bit 33", client.call(Request.setFeatures, device.traits.driverFeatures))
        },
        Rule(
            18, .status, "SET_FEATURES after FEATURES_OK is EBUSY, even with a bad pointer",
            source: "vhost_vdpa_set_features"
        ) { device in
            let client = try device.open()
            try expect("a bad pointer", client.call(Request.setFeatures, address: 8), is: .badAddress)
            try device.setStatus(client, upTo: 0xb)
            try expect(
                "SET_FEATURES", client.call(Request.setFeatures, device.traits.driverFeatures),
                is: .resourceBusy)
            try expect("a bad pointer", client.call(Request.setFeatures, address: 8), is: .resourceBusy)
        },
        Rule(
            19, .status, "A status bit cannot be dropped (EINVAL), all of them can",
            source: "vhost_vdpa_set_status"
        ) { device in
            let client = try device.open()
            try device.setStatus(client, upTo: 0xf)
            try expect("0x0f to 0x07", client.setStatus(0x07), is: .invalidArgument)
            try expect("GET_STATUS", client.get(Request.getStatus, count: 1), equals: .success(0xf))
            try expect("0x0f to 0", client.setStatus(0))
            try expect("GET_STATUS", client.get(Request.getStatus, count: 1), equals: .success(0))
        },
        Rule(
            20, .status, "SET_STATUS 4 from 0 succeeds and reads 4", needs: [.onChip],
            source: "vdpasim_set_status"
        ) { device in
            let client = try device.open()
            try expect("SET_STATUS 4", client.setStatus(4))
            try expect("GET_STATUS", client.get(Request.getStatus, count: 1), equals: .success(4))
        },
    ]
}
