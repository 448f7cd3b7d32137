/// Room for the end of a frame that is longer than where it goes; nobody reads it.
///
/// A TAP device cuts a frame silently to the length of the read. With this behind the buffer the read's result
/// tells the true length, up to the longest frame a TAP can have.
@safe
struct SpillBuffer: ~Copyable {
    static let byteCount = 65536 + 64
    let start: UnsafeMutableRawPointer

    init() {
        unsafe start = .allocate(byteCount: Self.byteCount, alignment: 64)
    }

    deinit { unsafe start.deallocate() }
}
