internal import SystemPackage

/// Rules 32 and 33.
enum SuspendRules {
    static let all: [Rule] = [
        Rule(
            32, .suspend, "SUSPEND before DRIVER_OK succeeds; on 6.1 only where the parent can suspend",
            source: "vhost_vdpa_suspend",
            note: "6.1.192 looks for the parent's operation first: EOPNOTSUPP of vp_vdpa; 6.12.117 last."
        ) { device in
            let client = try device.owned()
            let canSuspend = device.traits.backendFeatures & 1 << BackendBit.suspend != 0
            try expect(
                "SUSPEND", client.call(Request.suspend),
                is: canSuspend || device.kernel >= KernelRelease(6, 5) ? nil : .operationNotSupported)
        },
        Rule(
            33, .suspend, "A kick while suspended is not served; RESUME serves it",
            needs: [.traffic, .backendFeature(BackendBit.suspend), .backendFeature(BackendBit.resume)],
            source: "vdpasim_suspend, vdpasim_resume"
        ) { device in
            let (client, driver) = try device.mapped()
            try driver.start(client)
            try driver.expectTraffic("running")
            try expect("SUSPEND", client.call(Request.suspend))
            try driver.expectNoTraffic("suspended")
            try expect("RESUME", client.call(Request.resume))
            try driver.expectProgress("resumed")
        },
    ]
}
