internal import SystemPackage
internal import CLinux

/// Rules 55 to 61.
enum PinningRules {
    private static let iova: UInt64 = 0x1000_0000
    private static let page = UInt64(TestPages.pageSize)

    static let all: [Rule] = [
        Rule(
            55, .pinning, "use_va: private anonymous memory is accepted and not mapped",
            needs: [.virtualAddresses], source: "vhost_vdpa_va_map"
        ) { device in
            let client = try device.owned()
            let hidden = try TestPages(pages: 4, kind: .privateAnonymous)
            try expect("UPDATE", client.update(iova, hidden))
            try expect("the same again, since nothing is mapped", client.update(iova, hidden))
            let shared = try TestPages(pages: 4)
            try expect("shared memory there", client.update(iova, shared))
            try expect("shared memory again", client.update(iova, shared), is: .badAddress)
        },
        Rule(
            56, .pinning, "use_va: no memory above the address at IOVA 0 is EFAULT and wipes the space",
            needs: [.virtualAddresses], source: "vhost_vdpa_va_map, vhost_vdpa_unmap"
        ) { device in
            let client = try device.owned()
            let pages = try TestPages(pages: 1)
            let nowhere: UInt = 0xffff_ffff_ffff_0000
            try expect("UPDATE", client.update(iova, pages))
            try expect(
                "above all memory at another IOVA",
                client.send(.update, iova: 16 * iova, size: page, user: nowhere), is: .badAddress)
            try expect("the map is there", client.update(iova, pages), is: .badAddress)
            try expect(
                "above all memory at IOVA 0", client.send(.update, iova: 0, size: page, user: nowhere),
                is: .badAddress)
            try expect("the map is gone", client.update(iova, pages))
        },
        Rule(
            57, .pinning, "Pinned: one page over RLIMIT_MEMLOCK is EFAULT and pins nothing, for root too",
            needs: [.pinned], source: "vhost_vdpa_pa_map"
        ) { device in
            let limit = device.opener.lockedMemoryLimit ?? clinux_memlock_limit()
            guard limit < 1 << 40 else {
                throw RuleInterruption.notApplicable(reason: "nothing limits locked memory here")
            }
            let client = try device.owned()
            let before = try device.pinnedBytes()
            let pages = try TestPages(pages: Int(limit / page) + 1)
            try expect("UPDATE of limit and a page", client.update(iova, pages), is: .badAddress)
            try expect("pinned bytes", try device.pinnedBytes(), equals: before)
            try expect("UPDATE of one page", client.update(iova, pages, count: 1))
            try expect(
                "UPDATE of the limit on top of it",
                client.update(iova + page, pages, count: Int(limit / page)), is: .badAddress)
        },
        Rule(
            58, .pinning, "Pinned: exactly the pages mapped are pinned; INVALIDATE and close let them go",
            needs: [.pinned], source: "vhost_vdpa_pa_map, vhost_vdpa_pa_unmap"
        ) { device in
            try device.requireEntries(maps: 2, pages: 4)
            let client = try device.owned()
            let pages = try TestPages(pages: 4)
            let before = try device.pinnedBytes()
            func pinned() throws(RuleInterruption) -> UInt64 { (try device.pinnedBytes() &- before) / page }
            try expect("UPDATE", client.update(iova, pages))
            try expect("UPDATE", client.update(iova + 16 * page, pages))
            try expect("pages pinned", try pinned(), equals: 8)
            try expect("reset", client.setStatus(0))
            try expect("pages pinned after a reset", try pinned(), equals: 8)
            try expect("INVALIDATE", client.send(.invalidate, iova: iova, size: 4 * page))
            try expect("pages pinned after INVALIDATE", try pinned(), equals: 4)
            client.close()
            try expect("pages pinned after close", try pinned(), equals: 0)
        },
        Rule(
            59, .pinning, "Pinned: an inaccessible tail is EFAULT; a smaller range then works",
            needs: [.pinned], source: "vhost_vdpa_pa_map"
        ) { device in
            let client = try device.owned()
            let pages = try TestPages(pages: 4)
            pages.forbid(from: 3)
            let before = try device.pinnedBytes()
            try expect("4 pages", client.update(iova, pages), is: .badAddress)
            try expect("pinned bytes", try device.pinnedBytes(), equals: before)
            try expect("3 pages", client.update(iova, pages, count: 3))
        },
        Rule(
            60, .pinning, "Pinned: WO and RW on read-only memory are EFAULT, RO succeeds",
            needs: [.pinned], source: "vhost_vdpa_pa_map"
        ) { device in
            let client = try device.owned()
            let pages = try TestPages(pages: 2, isWritable: false)
            try expect("WO", client.update(iova, pages, permission: 2), is: .badAddress)
            try expect("RW", client.update(iova, pages, permission: 3), is: .badAddress)
            try expect("RO", client.update(iova, pages, permission: 1))
        },
        Rule(
            61, .pinning, "use_va: the entry after the limit of an address space is EFAULT",
            needs: [.virtualAddresses, .since(KernelRelease(6, 12))],
            source: "vhost_iotlb_add_range, max_iotlb_entries",
            note: "Where the limit can be read it is that; else 2048."
        ) { device in
            let limit = device.opener.entryLimit ?? 2048
            guard limit <= 8192 else {
                throw RuleInterruption.notApplicable(reason: "the limit is \(limit) entries")
            }
            let client = try device.owned()
            let pages = try TestPages(pages: 1)
            try expect("BATCH_BEGIN", client.send(.batchBegin))
            for slot in 0..<UInt64(limit) {
                try expect("entry \(slot + 1)", client.update(slot << 20, pages))
            }
            try expect("entry \(limit + 1)", client.update(UInt64(limit) << 20, pages), is: .badAddress)
        },
    ]
}
