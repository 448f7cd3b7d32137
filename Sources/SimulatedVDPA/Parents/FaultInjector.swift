internal import Glibc
internal import SystemPackage

/// What a faulty parent does wrong, and when.
///
/// The parent asks at every occasion; a healthy one is told that nothing is wrong. Control thread only.
package final class FaultInjector {
    private var fault: SimulatedFault?
    private var startCount = 0

    init(_ fault: SimulatedFault?) { self.fault = fault }

    /// Breaks the device from now on.
    package func inject(_ fault: SimulatedFault) { self.fault = fault }

    /// Mends it.
    package func repair() { fault = nil }

    /// Before an operation that makes the device act: a late one lets its caller wait.
    func delay() {
        guard fault == .late else { return }
        usleep(UInt32(SimulatedFault.lateness / .microseconds(1)))
    }

    /// Whether this reset loses maps that it should keep.
    var losesMaps: Bool { fault == .losesMaps }

    func checkSuspend() throws(Errno) { if fault == .suspend { throw .ioError } }

    /// At a `set_map` of `count` entries.
    func checkSetMap(count: Int) throws(Errno) { if fault == .setMap, count > 0 { throw .ioError } }

    /// At a map of one entry where `count` stand.
    func checkMap(standing count: Int) throws(Errno) {
        if fault == .mapHalfWay, count >= 2 { throw .ioError }
    }

    /// At a start of the device: whether it dies of it.
    func diesAtStart() -> Bool {
        startCount += 1
        return fault == .dies && startCount == 2
    }
}
