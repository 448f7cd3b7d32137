import CIOUring
import SystemPackage
import Testing

@testable import IOUring

@Suite struct IOUringErrorTests {
    private static func text(_ errno: Errno, _ setting: String?) -> IOUringError {
        IOUringError.setup(errno, disabledSetting: setting, submissionEntries: 8, completionEntries: 16)
    }

    @Test(
        "A ring that is not allowed says what to do",
        arguments: [
            (Errno.notPermitted, "2\n", "sysctl kernel.io_uring_disabled=0"),
            (.notPermitted, "1\n", "kernel.io_uring_group"),
            (.notPermitted, "0\n", "seccomp"),
            (.notPermitted, nil, "seccomp"),
            (.noFunction, nil, "Linux 6.1"),
            (.noMemory, nil, "ulimit -l"),
            (.tooManyOpenFiles, nil, "ulimit -n"),
            (.invalidArgument, "0", "8 submissions and 16 completions"),
        ] as [(Errno, String?, String)])
    func advice(errno: Errno, setting: String?, expected: String) {
        let error = IOUringErrorTests.text(errno, setting)
        #expect(error.errno == errno)
        #expect(error.context.contains(expected))
        #expect(!error.description.contains("\n"))
    }

    @Test(
        "Only a policy makes io_uring unavailable",
        arguments: [
            (Errno.notPermitted, IOUringError.Code.unavailable), (.noFunction, .unavailable),
            (.noMemory, .lockedMemory), (.invalidArgument, .invalidArgument), (.ioError, .system),
        ])
    func codes(errno: Errno, code: IOUringError.Code) {
        #expect(IOUringErrorTests.text(errno, "0").code == code)
    }

    @Test("An older kernel is asked again for less, and the ring says what it got")
    func fallback() throws {
        var asked: [SetupOptions] = []
        let ring = unsafe try IOUring(
            submissionEntries: 8, completionEntries: 16, options: .preferred
        ) { entries, ring, parameters in
            let flags = SetupOptions(rawValue: unsafe parameters.pointee.flags)
            asked.append(flags)
            if flags.contains(.singleIssuer) { return -Errno.invalidArgument.rawValue }
            return unsafe io_uring_queue_init_params(entries, ring, parameters)
        }
        #expect(asked.count == 2)
        let options = ring.options
        #expect(!options.contains(.deferredTaskRun))
        #expect(options.contains(.submitAll))
    }

    @Test("Nothing but EINVAL is asked again")
    func noFallback() {
        var asked = 0
        #expect(throws: IOUringError.self) {
            _ = unsafe try IOUring(submissionEntries: 8, completionEntries: 16, options: .preferred) {
                _, _, _ in
                asked += 1
                return -Errno.notPermitted.rawValue
            }
        }
        #expect(asked == 1)
    }

    @Test(
        "A refused io_uring_enter is named, and what passes by itself is told from what does not",
        arguments: [
            (Errno.resourceTemporarilyUnavailable, true), (.resourceBusy, true), (.interrupted, true),
            (.badFileDescriptor, false), (.badAddress, false), (.invalidArgument, false), (.noMemory, false),
            (.noSuchAddressOrDevice, false), (Errno(rawValue: 95), false), (Errno(rawValue: 77), false),
            (Errno(rawValue: 53), false),
            (.fileExists, false), (.notPermitted, false),
        ])
    func enter(errno: Errno, isTransient: Bool) {
        let error = IOUringError.enter(errno)
        #expect(error.errno == errno && error.isTransient == isTransient)
        #expect("\(error)".hasPrefix("io_uring_enter") && !"\(error)".contains("\n"))
    }

    @Test(
        "A size the kernel does not take is refused by name",
        arguments: [(0, 8), (8, 0), (1 << 20, 1 << 21), (-1, 8)])
    func sizes(submissions: Int, completions: Int) {
        #expect {
            _ = try IOUring(submissionEntries: submissions, completionEntries: completions)
        } throws: {
            ($0 as? IOUringError)?.code == .invalidArgument && "\($0)".contains("\(submissions) submissions")
        }
    }
}
