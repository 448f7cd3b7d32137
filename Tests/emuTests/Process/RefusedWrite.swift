import Foundation

/// Has every write(2) of a process to one descriptor refused with an errno, as a security policy does (seccomp(2)).
struct RefusedWrite {
    let descriptor: Int
    let errno: Int32

    /// Runs `emu` so. One that does not end is killed, with status 137.
    func run(_ arguments: [String]) throws -> EmuProcess.Outcome {
        try EmuProcess.run(
            shell: "exec timeout -s KILL 120 python3 -c '\(script)' \"$@\"", arguments)
    }

    /// Loads the filter and becomes the program given.
    private var script: String {
        """
        import ctypes, os, platform, struct, sys
        number = {"x86_64": 1, "aarch64": 64}[platform.machine()]
        code = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 16), (0x15, 0, 1, \(descriptor)),
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
