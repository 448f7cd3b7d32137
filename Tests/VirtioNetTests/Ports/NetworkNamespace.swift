import Glibc
import Testing

/// A network namespace that goes away with the value, everything in it included.
struct NetworkNamespace: ~Copyable {
    let name: String

    /// Why tests that need one cannot run, or `nil`.
    static let missing: String? =
        if getuid() != 0 {
            "needs root, to make network namespaces"
        } else if unsafe access("/dev/net/tun", R_OK | W_OK) != 0 {
            "needs /dev/net/tun"
        } else if unsafe system("ip -V >/dev/null 2>&1") != 0 {
            "needs iproute2"
        } else {
            nil
        }

    init() throws {
        name = "emu-test-\(UInt32.random(in: .min ... .max))"
        try #require(unsafe system("ip netns add \(name)") == 0)
        // No neighbour or multicast discovery: what a test does not send does not appear.
        let isQuiet = run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        try #require(isQuiet)
    }

    deinit {
        unsafe system("ip netns del \(name)")
    }

    /// Runs a command inside; says whether it succeeded.
    borrowing func run(_ command: String) -> Bool {
        unsafe system("ip netns exec \(name) \(command) >/dev/null 2>&1") == 0
    }

    /// Expects that a command inside succeeds, or that it fails.
    borrowing func expect(
        _ command: String, succeeds: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let succeeded = run(command)
        #expect(succeeded == succeeds, "\(command)", sourceLocation: sourceLocation)
    }
}
