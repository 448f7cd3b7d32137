import CLinux
import SystemPackage
import Testing

@testable import VirtioNet

@Suite struct PortSpecificationTests {
    @Test(
        "A port reads as it is written",
        arguments: [
            ("generator", .generator), ("loopback", .loopback), ("none", .none),
            ("tap:emu0", .tap(name: "emu0", namespace: nil)),
            ("tap:exactly15bytes_", .tap(name: "exactly15bytes_", namespace: nil)),
            ("tap:emu0@left-1", .tap(name: "emu0", namespace: "left-1")),
            ("capture:/tmp/a b.pcapng", .capture("/tmp/a b.pcapng")),
            ("capture:a:b,none", .capture("a:b", PortSpecification.none)),
            ("capture:a,tap:emu0@left", .capture("a", .tap(name: "emu0", namespace: "left"))),
        ] as [(String, PortSpecification)])
    func roundTrip(text: String, expected: PortSpecification) throws {
        let port = try PortSpecification(parsing: text)
        #expect(port == expected)
        #expect(port.description == text)
    }

    @Test(
        "What is no port is refused by name, with what would be one",
        arguments: [
            "", "tap", "tap:", "tap:sixteen_bytes_xx", "tap:a/b", "tap:a b", "tap:tap%d", "tap:.", "tap:..",
            "tap:@ns",
            "tap:emu0@", "tap:emu0@../etc", "tap:emu0@a/b", "tap:emu0@..", "Generator", "generator:1",
            "loopback ",
            "pcap", "pcap:/tmp/a.pcap", "capture", "capture:", "capture:,none", "capture:a,", "capture:a,b",
            "capture:a,capture:b", "veth:emu0", ":", "none:",
        ])
    func refused(text: String) {
        #expect {
            _ = try PortSpecification(parsing: text)
        } throws: {
            ($0 as? PortError)?.code == .badSpecification && "\($0)".contains("'\(text)'")
        }
    }

    @Test("Every kind of port is named, in errors and in the help, by what it is spelled with")
    func named() {
        for kind in PortSpecification.kinds {
            #expect(kind.spelling.hasPrefix(kind.keyword))
            #expect(PortSpecification.help.contains(kind.spelling))
            #expect(PortError.unknown("x").context.contains(kind.spelling))
        }
        #expect(Set(PortSpecification.kinds.map { $0.keyword }).count == PortSpecification.kinds.count)
    }

    @Test("A shell offers every kind of port at the ends that it can stand at")
    func completions() {
        #expect(PortSpecification.completions(at: .guest) == ["generator", "tap:", "capture:", "none"])
        #expect(PortSpecification.completions(at: .wire) == ["loopback", "tap:", "capture:", "none"])
    }

    @Test(
        "A port at an end that is not its own is refused, with those that can stand there",
        arguments: [
            ("generator", PortEnd.wire, "the generator is the guest's; use loopback, tap:NAME[@NETNS]"),
            ("loopback", .guest, "the loopback is the wire's; use generator, tap:NAME[@NETNS]"),
        ])
    func wrongEnd(text: String, end: PortEnd, words: String) throws {
        let port = try PortSpecification(parsing: text)
        let refusal = #expect(throws: PortError.self) {
            switch end {
            case .wire: _ = try WirePort(opening: port, queuePairs: 1) { _ in }
            case .guest: _ = try GuestPort(opening: port, queuePairs: 1) { _ in }
            }
        }
        #expect(refusal?.code == .unsupported && refusal?.context.hasPrefix(words) == true)
    }

    @Test(
        "What keeps a TAP from opening says what to do",
        arguments: [
            (clinux_tap_step_open, Errno.noSuchFileOrDirectory, PortError.Code.noTUN, "modprobe tun"),
            (clinux_tap_step_open, .permissionDenied, .noPrivilege, "run as root"),
            (
                clinux_tap_step_attach, .notPermitted, .noPrivilege,
                "ip netns exec ns1 ip tuntap add emu0 mode tap vnet_hdr user $USER"
            ),
            (clinux_tap_step_attach, .resourceBusy, .busy, "another process"),
            (clinux_tap_step_attach, .invalidArgument, .busy, "no TAP: name another"),
            (clinux_tap_step_namespace, .noSuchFileOrDirectory, .noNamespace, "ip netns add ns1"),
            (clinux_tap_step_namespace, .notPermitted, .noPrivilege, "run as root"),
            (clinux_tap_step_header, .invalidArgument, .system, "emu0"),
        ] as [(clinux_tap_step, Errno, PortError.Code, String)])
    func advice(step: clinux_tap_step, errno: Errno, code: PortError.Code, text: String) {
        let error = PortError.tap(
            name: "emu0", namespace: "ns1", hasSeveralQueues: false, step: step, isTAP: false, errno)
        #expect(error.code == code)
        #expect(error.errno == errno)
        #expect(error.context.contains(text))
        #expect(!error.description.contains("\n"))
    }
}
