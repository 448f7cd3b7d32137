/// The bits of mmap's arguments that the doorbell mapping looks at (`asm-generic/mman-common.h`).
enum MapBits {
    static let read: Int32 = 0x1  // PROT_READ
    static let typeMask: Int32 = 0xf  // MAP_TYPE
    static let `private`: Int32 = 0x2  // MAP_PRIVATE
}
