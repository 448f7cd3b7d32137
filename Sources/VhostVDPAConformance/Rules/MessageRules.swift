internal import SystemPackage

/// Rules 39 to 50.
enum MessageRules {
    /// Where rules without traffic map: above everything the rules with traffic use is not needed, only room.
    private static let iova: UInt64 = 0x1000_0000
    private static let page = UInt64(TestPages.pageSize)

    static let all: [Rule] = [
        Rule(
            39, .messages, "3 bytes and an outer type of 7 are EINVAL; a 40-byte UPDATE answers 72",
            source: "vhost_chr_write_iter"
        ) { device in
            let client = try device.owned()
            let pages = try TestPages(pages: 1)
            try expect("3 bytes", client.write([2, 0, 0]), equals: .failure(.invalidArgument))
            try expect(
                "outer type 7", client.write(RuleClient.message(3, size: page, outer: 7)),
                equals: .failure(.invalidArgument))
            let update = RuleClient.message(2, iova: iova, size: page, user: pages.address)
            try expect("an UPDATE of 40 bytes", client.write(update), equals: .success(72))
            try expect(
                "an INVALIDATE of 43 bytes",
                client.write(RuleClient.message(3, iova: iova, size: page) + [1, 2, 3]), equals: .success(72))
        },
        Rule(
            40, .messages, "UPDATE of size 0 is EINVAL, owner or not", source: "vhost_chr_write_iter"
        ) { device in
            let client = try device.open()
            try expect("without owner", client.send(.update, iova: iova), is: .invalidArgument)
            try expect("SET_OWNER", client.call(Request.setOwner))
            try expect("with owner", client.send(.update, iova: iova), is: .invalidArgument)
        },
        Rule(
            41, .messages, "MISS, ACCESS_FAIL and types 0 and 7 are EFAULT",
            source: "vhost_vdpa_process_iotlb_msg"
        ) { device in
            let client = try device.owned()
            try expect("BATCH_BEGIN", client.send(.batchBegin))
            for kind in [UInt8(0), 1, 4, 7] {
                try expect(
                    "type \(kind)", client.write(RuleClient.message(kind)), equals: .failure(.badAddress))
            }
        },
        Rule(
            42, .messages, "INVALIDATE and BATCH_END on a space nobody made are EFAULT",
            source: "vhost_vdpa_process_iotlb_msg"
        ) { device in
            let client = try device.owned()
            try expect("INVALIDATE", client.send(.invalidate, iova: iova, size: page), is: .badAddress)
            try expect("BATCH_END", client.send(.batchEnd), is: .badAddress)
        },
        Rule(
            43, .messages, "BATCH_END without BATCH_BEGIN on an existing space succeeds",
            source: "vhost_vdpa_process_iotlb_msg"
        ) { device in
            let client = try device.owned()
            let pages = try TestPages(pages: 1)
            try expect("UPDATE", client.update(iova, pages))
            try expect("BATCH_END", client.send(.batchEnd))
        },
        Rule(
            44, .messages, "The same UPDATE twice: the second is EFAULT, the first mapping still works",
            needs: [.traffic], source: "vhost_vdpa_process_iotlb_update"
        ) { device in
            let (client, driver) = try device.mapped()
            try expect("the same again", driver.map(client), is: .badAddress)
            try driver.start(client)
            try driver.expectTraffic("after the refusal")
        },
        Rule(
            45, .messages, "An UPDATE that overlaps by one byte is EFAULT; one that touches succeeds",
            source: "vhost_vdpa_process_iotlb_update"
        ) { device in
            let client = try device.owned()
            let pages = try TestPages(pages: 1)
            try expect("UPDATE", client.update(iova, pages))
            try expect(
                "one byte over the end",
                client.send(.update, iova: iova + page - 1, size: page, user: pages.address), is: .badAddress)
            try expect(
                "one byte over the begin",
                client.send(.update, iova: iova - page + 1, size: page, user: pages.address), is: .badAddress)
            try expect("touching above", client.update(iova + page, pages))
            try expect("touching below", client.update(iova - page, pages))
        },
        Rule(
            46, .messages, "An UPDATE that wraps, or leaves the IOVA range, is EFAULT",
            source: "vhost_vdpa_process_iotlb_update"
        ) { device in
            let client = try device.owned()
            let pages = try TestPages(pages: 2)
            try expect("wrapping", client.update(0 &- page, pages), is: .badAddress)
            let last = device.traits.iovaLast
            guard last != .max else { return }
            try expect("over the end", client.update(last - page + 1, pages), is: .badAddress)
            try expect("beyond the end", client.update(last + 1, pages), is: .badAddress)
        },
        Rule(
            47, .messages, "INVALIDATE of one page of an entry removes all of it",
            source: "vhost_vdpa_va_unmap, vhost_vdpa_pa_unmap",
            note: "Pinned memory makes an entry per physically contiguous run, so two pages that follow each"
                + " other are looked for."
        ) { device in
            try device.requireLongRuns(pages: 2)
            let client = try device.owned()
            let pages: TestPages
            var first = 0
            if device.traits.usesVirtualAddresses {
                pages = try TestPages(pages: 2)
            } else {
                (pages, first) = try TestPages.withNeighbours()
            }
            let user = pages.address + UInt(first) * UInt(page)
            try expect("UPDATE", client.send(.update, iova: iova, size: 2 * page, user: user))
            try expect(
                "the second page", client.send(.update, iova: iova + page, size: page, user: user),
                is: .badAddress)
            try expect("INVALIDATE of the first page", client.send(.invalidate, iova: iova, size: page))
            try expect(
                "the second page is free", client.send(.update, iova: iova + page, size: page, user: user))
        },
        Rule(
            48, .messages, "INVALIDATE of an unmapped range succeeds and removes nothing",
            source: "vhost_vdpa_unmap"
        ) { device in
            let client = try device.owned()
            let pages = try TestPages(pages: 1)
            try expect("UPDATE", client.update(iova, pages))
            try expect("INVALIDATE", client.send(.invalidate, iova: iova + 16 * page, size: page))
            try expect("the entry is there", client.update(iova, pages), is: .badAddress)
        },
        Rule(
            49, .messages, "INVALIDATE(0, 0) empties the address space", source: "vhost_vdpa_unmap"
        ) { device in
            let client = try device.owned()
            let pages = try TestPages(pages: 1)
            for slot in UInt64(0)..<4 { try expect("UPDATE", client.update(iova + slot << 20, pages)) }
            try expect("INVALIDATE(0, 0)", client.send(.invalidate))
            for slot in UInt64(0)..<4 {
                try expect("entry \(slot) is free", client.update(iova + slot << 20, pages))
            }
        },
        Rule(
            50, .messages, "A space that is not there is EFAULT with IOTLB_ASID acknowledged, else ignored",
            source: "vhost_chr_write_iter, vhost_vdpa_alloc_as"
        ) { device in
            let client = try device.owned()
            let pages = try TestPages(pages: 1)
            let beyond = device.traits.addressSpaceCount
            try expect("not acknowledged", client.update(iova, pages, asid: beyond))
            try expect("the entry is in space 0", client.update(iova, pages), is: .badAddress)
            try expect("IOTLB_ASID", client.acknowledge(1 << BackendBit.addressSpaces))
            try expect(
                "acknowledged", client.update(iova + 1 << 20, pages, asid: beyond), is: .badAddress)
        },
    ]
}
