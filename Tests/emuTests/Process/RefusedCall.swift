import Foundation

/// Has a system call of a process refused with an errno, every time, as a security policy does (seccomp(2)); with 0
/// each answers 0.
struct RefusedCall {
    /// The call's number on each machine, as Python names machines.
    private let numbers: [String: Int]
    /// Which of its arguments must have the value for it to be refused.
    private let argument: Int
    private let value: Int
    private let errno: Int32

    /// Each write(2) to `descriptor`.
    static func write(to descriptor: Int, _ errno: Int32) -> RefusedCall {
        RefusedCall(
            numbers: ["x86_64": 1, "aarch64": 64], argument: 0, value: descriptor, errno: errno)
    }

    /// Each duplication of a descriptor by fcntl(2) (F_DUPFD_CLOEXEC).
    static func duplication(_ errno: Int32) -> RefusedCall {
        RefusedCall(
            numbers: ["x86_64": 72, "aarch64": 25], argument: 1, value: 1030, errno: errno)
    }

    /// Runs `emu` so. One that does not end is killed, with status 137.
    func run(_ arguments: [String]) throws -> EmuProcess.Outcome {
        try EmuProcess.run(
            shell: "exec timeout -s KILL 120 python3 -c '\(script)' \"$@\"", arguments)
    }

    /// Loads the filter and becomes the program given.
    private var script: String {
        let table = numbers.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
        return """
            import ctypes, os, platform, struct, sys
            number = {\(table)}[platform.machine()]
            code = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, \(16 + 8 * argument)), (0x15, 0, 1, \(value)),
                    (0x06, 0, 0, 0x50000 | \(errno)), (0x06, 0, 0, 0x7fff0000)]
            program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
            filter = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code), ctypes.addressof(program)))
            libc = ctypes.CDLL(None)
            assert libc.prctl(38, 1, 0, 0, 0) == 0
            assert libc.prctl(22, 2, filter) == 0
            os.execv(sys.argv[1], sys.argv[1:])
            """
    }
}
