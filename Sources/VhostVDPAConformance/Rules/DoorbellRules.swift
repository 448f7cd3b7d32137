internal import Glibc
internal import SystemPackage
internal import VhostVDPA

/// Rule 38.
enum DoorbellRules {
    static let all: [Rule] = [
        Rule(
            38, .doorbell,
            "A doorbell's mapping of two pages, readable or private is EINVAL; without a doorbell errno 524",
            source: "vhost_vdpa_mmap"
        ) { device in
            let client = try device.owned()
            let page = TestPages.pageSize
            func map(_ length: Int, _ protection: Int32, _ flags: Int32 = MAP_SHARED) -> Errno? {
                switch unsafe client.map(length: length, protection: protection, flags: flags) {
                case .success(let pointer):
                    unsafe munmap(pointer, length)
                    return nil
                case .failure(let error): return error
                }
            }
            try expect("two pages", map(2 * page, PROT_WRITE), is: .invalidArgument)
            try expect("readable", map(page, PROT_READ | PROT_WRITE), is: .invalidArgument)
            try expect("private", map(page, PROT_WRITE, MAP_PRIVATE), is: .invalidArgument)
            if device.traits.isSimulatorNetwork || device.opener.isServedByProcess {
                try expect("one page to write", map(page, PROT_WRITE), is: .kernelNotSupported)
            }
        }
    ]
}
