import SystemPackage
import TestSupport
import VhostVDPA

/// A character device before another one that makes some of its calls fail.
final class FaultyDevice: DeviceInterposer {
    let wrapped: any CharacterDevice
    /// The calls left until failures begin, and how many there are then; `nil` while every call passes.
    private var plan: (passing: Int, failing: Int)?
    /// Whether a call that fails has been carried out all the same.
    private var isLate = false
    /// Called after each call that fails, before its caller learns of it.
    var onFailure: () -> Void = {}
    /// Calls made, failed ones included.
    private(set) var callCount = 0
    /// Calls that were made to fail.
    private(set) var failureCount = 0

    init(_ inner: any CharacterDevice) { wrapped = inner }

    /// Lets `passing` more calls through, fails `failing` ones, then passes everything again. `isLate` says that
    /// the calls that fail reach the device first.
    func fail(after passing: Int, count failing: Int = 1, isLate: Bool = false) {
        plan = (passing, failing)
        self.isLate = isLate
    }

    func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        let fails = takesFailure()
        defer { if fails { onFailure() } }
        if fails, !isLate { throw .ioError }
        let answer = try wrapped.ioctl(request, argument)
        if fails { throw .ioError }
        return answer
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        let fails = takesFailure()
        defer { if fails { onFailure() } }
        if fails, !isLate { throw .ioError }
        let count = try unsafe wrapped.write(bytes)
        if fails { throw .ioError }
        return count
    }

    /// Counts a call; whether it is one that fails.
    private func takesFailure() -> Bool {
        callCount += 1
        guard let (passing, failing) = plan else { return false }
        plan = passing > 0 ? (passing - 1, failing) : (0, max(0, failing - 1))
        guard passing == 0, failing > 0 else { return false }
        failureCount += 1
        return true
    }
}
