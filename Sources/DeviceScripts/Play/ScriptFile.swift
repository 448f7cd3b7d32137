internal import Glibc
internal import GuestMemory
internal import LinuxHost
internal import SystemPackage
internal import VhostVDPA

/// An open device of a script's process: its calls, with the structs in this process's memory for as long as a call takes.
@safe
final class ScriptFile {
    private let device: any CharacterDevice
    private let callFromChild: ((any CharacterDevice, UInt, UInt) -> Errno?)?
    /// The doorbells that are mapped, by queue.
    private var doorbells: [VringIndex: DoorbellPage] = [:]

    init(_ device: any CharacterDevice, callFromChild: ((any CharacterDevice, UInt, UInt) -> Errno?)?) {
        self.device = device
        self.callFromChild = callFromChild
    }

    deinit {
        device.close()
    }

    func close() { device.close() }

    /// An open file that is neither a device nor an eventfd.
    static func openNullDevice() throws(Errno) -> FileDescriptor {
        let number = unsafe Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
        guard number >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: number)
    }

    /// Makes an ioctl with `bytes` as what its argument points at. Returns what they are afterwards.
    func call(_ number: UInt, bytes: [UInt8], by caller: ScriptCaller) throws(Errno) -> [UInt8] {
        guard caller == .process else {
            var copy = room(bytes)
            let errno = unsafe copy.withUnsafeMutableBytes { buffer in
                callFromChild?(device, number, UInt(bitPattern: buffer.baseAddress)) ?? nil
            }
            if let errno { throw errno }
            return bytes
        }
        var copy = room(bytes)
        let result = unsafe copy.withUnsafeMutableBytes { buffer in
            Result { () throws(Errno) in try ioctl(number, UInt(bitPattern: buffer.baseAddress)) }
        }
        try result.get()
        return Array(copy.prefix(bytes.count))
    }

    /// The bytes with zeros behind them: a request of another kind than they are for reads on, and what it finds is to be the
    /// same every time.
    private func room(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: max(0, Self.roomByteCount - bytes.count))
    }

    /// More than the struct of any request is long that has no length of its own.
    private static let roomByteCount = 64

    /// Makes an ioctl with a number as its argument, an address most often.
    func call(_ number: UInt, argument: UInt, by caller: ScriptCaller) throws(Errno) {
        guard caller == .process else {
            if let errno = callFromChild?(device, number, argument) ?? nil { throw errno }
            return
        }
        try ioctl(number, argument)
    }

    private func ioctl(_ number: UInt, _ argument: UInt) throws(Errno) {
        do throws(Errno) {
            _ = try device.ioctl(number, argument)
        } catch {
            _ = try device.ioctlAgain(number, argument, after: error)
        }
    }

    func write(_ bytes: [UInt8]) throws(Errno) -> Int {
        try unsafe bytes.withUnsafeBytes { buffer in
            Result { () throws(Errno) in try unsafe device.write(buffer) }
        }.get()
    }

    func write(from address: UInt, byteCount: Int) throws(Errno) -> Int {
        try unsafe device.write(
            UnsafeRawBufferPointer(
                start: UnsafeRawPointer(bitPattern: address), count: address == 0 ? 0 : byteCount))
    }

    func map(_ doorbell: ScriptDoorbell) throws(Errno) {
        let page = try unsafe device.map(
            length: doorbell.byteCount, protection: PROT_WRITE | (doorbell.isReadable ? PROT_READ : 0),
            flags: doorbell.isShared ? MAP_SHARED : MAP_PRIVATE,
            offset: Int(doorbell.queue.rawValue) * HostPage.byteCount)
        doorbells[doorbell.queue] = unsafe DoorbellPage(page, byteCount: doorbell.byteCount)
    }

    /// Writes to a doorbell, as a driver's notification does: the queue's number in 16 bits. `false` where none is mapped.
    func ring(_ queue: VringIndex) -> Bool {
        guard let page = doorbells[queue] else { return false }
        page.ring(queue)
        return true
    }
}

/// A queue's doorbell, mapped as long as the object lives.
@safe
private final class DoorbellPage {
    private let page: UnsafeMutableRawPointer
    private let byteCount: Int

    init(_ page: UnsafeMutableRawPointer, byteCount: Int) {
        unsafe self.page = page
        self.byteCount = byteCount
    }

    deinit { unsafe munmap(page, byteCount) }

    func ring(_ queue: VringIndex) {
        unsafe page.storeBytes(of: UInt16(truncatingIfNeeded: queue.rawValue), as: UInt16.self)
    }
}
