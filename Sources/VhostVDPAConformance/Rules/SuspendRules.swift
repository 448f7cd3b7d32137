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
            source: "vdpasim_suspend, vdpasim_resume, vdpasim_do_reset",
            note: "vdpa_sim keeps it over a reset as well, until a RESUME; from 7.3 on the reset forgets it."
        ) { device in
            let (client, driver) = try device.mapped()
            try driver.start(client)
            try driver.expectTraffic("running")
            try expect("SUSPEND", client.call(Request.suspend))
            try driver.expectNoTraffic("suspended")
            try expect("RESUME", client.call(Request.resume))
            try driver.expectProgress("resumed")
            guard device.traits.isSimulatorNetwork else { return }
            try expect("SUSPEND", client.call(Request.suspend))
            driver.kick()
            try expect("reset", client.setStatus(0))
            try expect("INVALIDATE", driver.unmap(client))
            try expect("UPDATE", driver.map(client))
            try driver.start(client)
            driver.post()
            try driver.expectNoProgress("started again, without a kick")
            try expect("RESUME", client.call(Request.resume))
            if device.kernel < KernelRelease(7, 3) {
                try driver.expectProgress("resumed by the kick before the reset")
            } else {
                try driver.expectNoProgress("resumed without a kick")
            }
        },
    ]
}
