internal import SystemPackage
internal import VhostVDPA

/// Rules 62 to 65, 67 and 68, and this project's own on the order of unmap and reset.
///
/// Every one of them shows what the *device* has left by letting it transmit: it reads a ring, and a device that
/// has lost its maps reads a page of ours that is zero (``OnePageDriver``).
enum PersistenceRules {
    private static let persist: UInt64 = 1 << BackendBit.persist

    static let all: [Rule] = [
        Rule(
            62, .persistence,
            "IOTLB_PERSIST acknowledged: a reset keeps the maps, traffic works without UPDATE",
            needs: [.traffic, .backendFeature(BackendBit.persist)], source: "_compat_vdpa_reset"
        ) { device in
            let (client, driver) = try device.running(acknowledging: persist)
            try device.restart(client, driver)
            try driver.expectTraffic("after the reset, without UPDATE")
        },
        Rule(
            63, .persistence,
            "Not acknowledged, on-chip: the maps are lost, the same UPDATE is EFAULT, INVALIDATE and UPDATE work",
            needs: [.traffic, .onChip, .losesMaps], source: "_compat_vdpa_reset, vdpasim_compat_reset"
        ) { device in
            let (client, driver) = try device.running(acknowledging: 0)
            try device.restart(client, driver)
            try driver.expectNoTraffic("after the reset, without UPDATE")
            try expect("the same UPDATE", driver.map(client), is: .badAddress)
            try expect("INVALIDATE", driver.unmap(client))
            try expect("UPDATE", driver.map(client))
            driver.kick()
            try driver.expectProgress("after INVALIDATE, UPDATE and a kick")
        },
        Rule(
            64, .persistence,
            "Not acknowledged: a different UPDATE brings the old maps back with set_map, not with dma_map",
            needs: [.traffic, .onChip, .losesMaps], source: "vhost_vdpa_map"
        ) { device in
            let (client, driver) = try device.mapped(acknowledging: 0)
            try expect("reset", client.setStatus(0))
            let other = try TestPages(pages: 1)
            try expect("a different UPDATE", client.update(driver.iova + 0x100_0000, other))
            try driver.start(client)
            if device.traits.mapOperation == .setMap {
                try driver.expectTraffic("set_map, after a different UPDATE")
            } else {
                try driver.expectNoTraffic("dma_map, after a different UPDATE")
            }
        },
        Rule(
            65, .persistence,
            "IOTLB_PERSIST counts at reset time: acknowledged late it keeps, withdrawn it loses",
            needs: [.traffic, .onChip, .losesMaps, .backendFeature(BackendBit.persist)],
            source: "_compat_vdpa_reset"
        ) { device in
            let (client, driver) = try device.mapped(acknowledging: 0)
            try expect("IOTLB_PERSIST", client.acknowledge(persist))
            try device.restart(client, driver)
            try driver.expectTraffic("acknowledged after the UPDATE")
            try expect("0", client.acknowledge(0))
            try device.restart(client, driver)
            try driver.expectNoTraffic("withdrawn before the reset")
        },
        Rule(
            67, .persistence,
            "A close takes the maps, the acknowledgement and the owner, IOTLB_PERSIST or not",
            needs: [.traffic, .backendFeature(BackendBit.persist)], source: "vhost_vdpa_release"
        ) { device in
            let first = try device.owned(acknowledging: persist | 1 << BackendBit.addressSpaces)
            let driver = try device.driver()
            try expect("UPDATE", driver.map(first))
            try driver.start(first)
            try driver.expectTraffic("before the close")
            first.close()
            let client = try device.owned()
            if device.traits.mapOperation != .platform {
                // Behind the platform's IOMMU this would be a DMA fault, which breaks a device until its reset.
                try driver.start(client)
                try driver.expectNoTraffic("after the reopen, without UPDATE")
                try expect("reset", client.setStatus(0))
            }
            if device.traits.noIdentity == nil, let address = try device.identityAddress(driver.page) {
                try driver.start(client, at: address)
                try driver.expectTraffic("in identity, after the reopen")
                try expect("reset", client.setStatus(0))
            }
            // A space that is not there is ignored only where IOTLB_ASID is not acknowledged.
            try expect(
                "UPDATE of the old range", driver.map(client, asid: device.traits.addressSpaceCount))
            try driver.start(client)
            try driver.expectTraffic("after the UPDATE")
        },
        Rule(
            68, .persistence, "Platform IOMMU: a reset keeps the maps, IOTLB_PERSIST acknowledged or not",
            needs: [.traffic, .platform], source: "vhost_vdpa_map, iommu_map"
        ) { device in
            let (client, driver) = try device.running(acknowledging: 0)
            try device.restart(client, driver)
            try driver.expectTraffic("after the reset, without UPDATE")
        },
        Rule(
            106, .persistence,
            "Maps removed after a reset, or while suspended before it, can be made again, and traffic works",
            needs: [.traffic], source: "vhost_vdpa_unmap, vhost_vdpa_map",
            note: "The order of a client without IOTLB_PERSIST; under a live device an unmap is a DMA fault."
        ) { device in
            let (client, driver) = try device.running(acknowledging: 0)
            try expect("reset", client.setStatus(0))
            try expect("INVALIDATE after the reset", driver.unmap(client))
            try expect("UPDATE after the reset", driver.map(client))
            try driver.start(client)
            try driver.expectTraffic("removed after the reset")
            guard device.traits.backendFeatures & 1 << BackendBit.suspend != 0 else { return }
            try expect("SUSPEND", client.call(Request.suspend))
            try expect("INVALIDATE while suspended", driver.unmap(client))
            try expect("reset", client.setStatus(0))
            try expect("UPDATE", driver.map(client))
            try driver.start(client)
            try driver.expectTraffic("removed while suspended")
        },
        Rule(
            107, .persistence,
            "A parent that decides for itself and keeps its maps: they work, are refused again, and go by INVALIDATE",
            needs: [.traffic, .onChip, .keepsMaps], source: "vduse_vdpa_reset",
            note: "VDUSE, and vendors that declare IOTLB_PERSIST: there is no compat_reset to ask."
        ) { device in
            let (client, driver) = try device.running(acknowledging: 0)
            try expect("reset", client.setStatus(0))
            try expect("the same UPDATE", driver.map(client), is: .badAddress)
            try driver.start(client)
            try driver.expectTraffic("after the reset, without UPDATE")
            try expect("reset", client.setStatus(0))
            try expect("INVALIDATE", driver.unmap(client))
            try driver.start(client)
            try driver.expectNoTraffic("after INVALIDATE")
        },
    ]
}
