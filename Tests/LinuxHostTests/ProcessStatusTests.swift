import SystemPackage
import Testing

@testable import LinuxHost

@Suite struct ProcessStatusTests {
    @Test("The pinned bytes are VmPin's kilobytes; a status without the line tells of none")
    func pinned() {
        #expect(ProcessStatus.pinnedBytes(in: "Name:\temu\nVmPin:\t    1234 kB\n") == 1234 << 10)
        #expect(ProcessStatus.pinnedBytes(in: "Name:\temu\nVmLck:\t 4 kB\n") == nil)
        #expect(ProcessStatus.pinnedBytes != nil)
    }

    @Test(
        "The entries of an address space are the smaller limit of the modules that say one",
        arguments: [
            ("2048", "1024", 1024), ("2048", nil, 2048), (nil, "2048", 2048), ("0", "2048", 2048),
            ("0", nil, nil), ("many", nil, nil), (nil, nil, nil),
        ] as [(String?, String?, Int?)])
    func entries(vhost: String?, simulator: String?, limit: Int?) {
        let files: [FilePath: String?] = [
            "/sys/module/vhost_vdpa/parameters/max_iotlb_entries": vhost,
            "/sys/module/vdpa_sim/parameters/max_iotlb_entries": simulator,
        ]
        #expect(KernelParameters.smallestLimit { files[$0] ?? nil } == limit)
    }

    @Test("A page is a power of two, of 4 KiB at the least")
    func page() {
        #expect(HostPage.byteCount >= 4096 && HostPage.byteCount.nonzeroBitCount == 1)
    }
}
