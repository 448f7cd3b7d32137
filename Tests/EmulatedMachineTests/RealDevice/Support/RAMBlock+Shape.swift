import Glibc
import GuestMemory
import SystemPackage

extension RAMBlock {
    /// Touches every page in an order that leaves no two neighbours next to each other in physical memory: a
    /// parent that pins needs an IOTLB entry for each page then.
    func scatter() {
        let pageSize = Int(RAMBlock.hostPageSize.rawValue)
        let count = Int(byteCount.rawValue) / pageSize
        // Coprime to every count that is not a multiple of it.
        let stride = 7919
        for turn in 0..<count {
            unsafe base.storeBytes(of: 1, toByteOffset: turn * stride % count * pageSize, as: UInt8.self)
        }
    }

    /// Puts private memory in the place of the block's first page, behind everybody's back.
    func loseFirstPage() throws {
        let page = unsafe mmap(
            base, Int(RAMBlock.hostPageSize.rawValue), PROT_READ | PROT_WRITE,
            MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard unsafe page == base else { throw Errno(rawValue: errno) }
    }
}
