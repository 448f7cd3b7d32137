import Testing

@testable import DeviceScripts

@Suite("A request's name")
struct RequestTests {
    @Test("stands for one number, which carries the argument's size and direction as ioctl(2) has them")
    func shape() {
        for kind in ScriptRequestKind.all {
            let size = Int(kind.number >> 16 & 0x3fff)
            let direction = kind.number >> 30
            let expected: (size: Int?, direction: UInt) =
                switch kind.shape {
                case .nothing: (0, 0)
                case .set(let count): (count, 1)
                case .get(let count, _): (count, 2)
                case .setState, .file, .setConfiguration, .bytes: (8, 1)
                case .getConfiguration: (8, 2)
                case .getState: (8, 3)
                case .getRange: (16, 2)
                case .addresses: (40, 1)
                case .descriptor: (4, 1)
                }
            #expect(size == expected.size && direction == expected.direction, "\(kind.name)")
            #expect(kind.number >> 8 & 0xff == 0xaf, "\(kind.name)")
        }
    }
}
