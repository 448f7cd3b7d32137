package import SystemPackage

/// The file a request works on: a descriptor of the process, or a slot of the ring's registered files.
///
/// A registered file saves the kernel a lookup and a reference count per request. Borrowed: whoever owns the
/// descriptor keeps it open until the request is submitted; a request in flight holds its own reference.
package struct RingFile: Equatable, Sendable {
    /// The descriptor, or the slot.
    @usableFromInline let value: Int32
    @usableFromInline let isFixed: Bool

    @inlinable
    init(value: Int32, isFixed: Bool) {
        self.value = value
        self.isFixed = isFixed
    }

    /// An open descriptor of this process.
    @inlinable
    package static func plain(_ descriptor: FileDescriptor) -> RingFile {
        RingFile(value: descriptor.rawValue, isFixed: false)
    }

    /// A slot of the files given to ``IOUring/registerFiles(_:)``.
    @inlinable
    package static func fixed(_ slot: Int) -> RingFile {
        RingFile(value: Int32(slot), isFixed: true)
    }
}
