/// The pages a RAM block is made of.
public enum PageKind: String, CaseIterable, Hashable, Sendable {
    /// The host's base pages, always available.
    case base
    /// 2 MiB pages where the kernel finds them (`MADV_HUGEPAGE` on shared memory): needs
    /// `/sys/kernel/mm/transparent_hugepage/shmem_enabled` at `advise` or above.
    case transparent
    /// 2 MiB pages from the hugetlb pool (`MFD_HUGETLB`), reserved when the block is made.
    case explicit

    /// The size of a huge page, transparent or explicit.
    package static let hugePageSize = ByteCount.mebibytes(2)

    /// What a block gets where the kernel has none of these pages.
    var fallback: PageKind? {
        switch self {
        case .base: nil
        case .transparent: .base
        case .explicit: .transparent
        }
    }

    /// Why a block of `byteCount` cannot have these pages, as far as it can be known before trying.
    ///
    /// `shmemSetting` is the text of the kernel's `shmem_enabled`, where the value in force is in brackets.
    func obstacle(byteCount: ByteCount, shmemSetting: String?) -> String? {
        switch self {
        case .base:
            return nil
        case .transparent:
            if byteCount < Self.hugePageSize { return "the block is smaller than a huge page" }
            guard let shmemSetting else {
                return "the kernel has no transparent huge pages for shared memory"
            }
            for value in ["never", "deny"] where shmemSetting.contains("[\(value)]") {
                return "\(Self.shmemPath) says \(value); write advise to it"
            }
            return nil
        case .explicit:
            return byteCount.isMultiple(of: Self.hugePageSize)
                ? nil : "the block's size is not a multiple of \(Self.hugePageSize)"
        }
    }

    /// The kernel's setting for transparent huge pages in shared memory.
    static let shmemPath = "/sys/kernel/mm/transparent_hugepage/shmem_enabled"
}
