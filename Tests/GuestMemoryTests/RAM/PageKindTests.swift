import Testing

@testable import GuestMemory

struct PageKindTests {
    @Test(
        "Huge pages are tried only where the kernel and the size allow them",
        arguments: [
            (.base, 4096, nil, true), (.transparent, 2 << 20, "always [advise] never deny force", true),
            (.transparent, 2 << 20, "[always] advise never", true),
            (.transparent, 2 << 20, "always advise [never] deny", false),
            (.transparent, 2 << 20, "always advise never [deny]", false), (.transparent, 2 << 20, nil, false),
            (.transparent, 1 << 20, "[always] never", false), (.explicit, 4 << 20, nil, true),
            (.explicit, 3 << 20, "[always]", false),
        ] as [(PageKind, UInt64, String?, Bool)]
    )
    func obstacles(kind: PageKind, bytes: UInt64, setting: String?, allowed: Bool) {
        let obstacle = kind.obstacle(byteCount: ByteCount(rawValue: bytes), shmemSetting: setting)
        #expect((obstacle == nil) == allowed)
    }
}
