internal import SystemPackage
internal import VhostVDPA

/// Rules 51 to 54.
enum BatchRules {
    static let all: [Rule] = [
        Rule(
            51, .batches, "A batch on space 0 refuses space 1, which exists from then on",
            needs: [.addressSpaces(2)], source: "vhost_vdpa_process_iotlb_msg"
        ) { device in
            let client = try device.owned(acknowledging: 1 << BackendBit.addressSpaces)
            let pages = try TestPages(pages: 1)
            let size = UInt64(pages.byteCount)
            try expect(
                "INVALIDATE in space 1", client.send(.invalidate, iova: 0x1000_0000, size: size, asid: 1),
                is: .badAddress)
            try expect("BATCH_BEGIN", client.send(.batchBegin))
            try expect("UPDATE in space 1", client.update(0x1000_0000, pages, asid: 1), is: .badAddress)
            try expect("BATCH_END", client.send(.batchEnd))
            try expect(
                "INVALIDATE in space 1", client.send(.invalidate, iova: 0x1000_0000, size: size, asid: 1))
        },
        Rule(
            52, .batches, "An UPDATE in a batch reaches a set_map device at BATCH_END, any other at once",
            needs: [.traffic], source: "vhost_vdpa_map, vhost_vdpa_process_iotlb_msg"
        ) { device in
            let client = try device.owned()
            let driver = try device.driver()
            try expect("BATCH_BEGIN", client.send(.batchBegin))
            try expect("UPDATE", driver.map(client))
            try driver.start(client)
            if device.traits.mapOperation == .setMap {
                try driver.expectNoTraffic("before BATCH_END")
                try expect("BATCH_END", client.send(.batchEnd))
                driver.kick()
                try driver.expectProgress("after BATCH_END and a kick")
            } else {
                try driver.expectTraffic("before BATCH_END")
                try expect("BATCH_END", client.send(.batchEnd))
                try driver.expectTraffic("after BATCH_END")
            }
        },
        Rule(
            53, .batches, "A status reset does not end a batch", needs: [.traffic, .setMap],
            source: "vhost_vdpa_set_status, vhost_vdpa_reset"
        ) { device in
            let client = try device.owned()
            let driver = try device.driver()
            try expect("BATCH_BEGIN", client.send(.batchBegin))
            try expect("reset", client.setStatus(0))
            try expect("UPDATE", driver.map(client))
            try driver.start(client)
            try driver.expectNoTraffic("before BATCH_END")
            try expect("BATCH_END", client.send(.batchEnd))
            driver.kick()
            try driver.expectProgress("after BATCH_END and a kick")
        },
        Rule(
            54, .batches, "An empty batch ends the identity and leaves no map",
            needs: [.traffic, .setMap, .identity], source: "vdpasim_set_map"
        ) { device in
            let client = try device.owned()
            let driver = try device.driver()
            guard let address = try device.identityAddress(driver.page) else {
                throw RuleInterruption.notApplicable(reason: "the page's physical address is not known")
            }
            try driver.start(client, at: address)
            try driver.expectTraffic("in identity")
            try expect("BATCH_BEGIN", client.send(.batchBegin))
            try expect("BATCH_END", client.send(.batchEnd))
            try driver.expectNoTraffic("after an empty batch")
        },
        Rule(
            103, .batches, "A close ends a batch", needs: [.traffic, .setMap], source: "vhost_vdpa_open"
        ) { device in
            let first = try device.owned()
            try expect("BATCH_BEGIN", first.send(.batchBegin))
            first.close()
            let (client, driver) = try device.mapped()
            try driver.start(client)
            try driver.expectTraffic("after the reopen")
        },
    ]
}
