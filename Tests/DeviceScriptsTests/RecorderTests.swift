import Foundation
import GuestMemory
import LinuxHost
import SimulatedConformance
import SimulatedVDPA
import SystemPackage
import TestSupport
import Testing
import VhostVDPA
import VhostVDPAConformance

@testable import DeviceScripts

@Suite("A recording", .timeLimit(.minutes(15)))
struct RecorderTests {
    /// A device whose calls are recorded, and the lines so far.
    private final class Session {
        private(set) var lines: [DeviceScript.Line] = []
        let opener: DeviceOpener
        private(set) var recorder = ScriptRecorder { _ in }
        let specification: String

        init(_ specification: String = "sim,profile=vdpasim-net") throws {
            self.specification = specification
            opener = try .simulation(SimulatedDeviceSpecification(parsing: specification), logger: .quiet)
            recorder = ScriptRecorder { [unowned self] in lines.append($0) }
        }

        func open() throws -> Client { Client(try recorder.open(opener.open)) }

        var text: [String] { lines.map(\.description) }
        var script: DeviceScript { DeviceScript(lines: lines) }

        /// Where a fresh device of the same kind answers otherwise.
        func differences() throws -> [String] {
            let script = try DeviceScript(parsing: script.description)
            let answers = try ScriptPlayer.play(script, on: PlayerTests.target(specification))
            return script.differences(from: answers).map {
                "\(script.lines[$0.line]): \($0.seen)"
            }
        }
    }

    private struct Client: DeviceCaller {
        let file: RecordedFile
        var callee: any CharacterDevice { file }
        init(_ file: RecordedFile) { self.file = file }
    }

    @Test("has a line for each call, with its argument by name and its answer, and plays as it was")
    func lines() throws {
        let session = try Session()
        let client = try session.open()
        #expect(throws: Errno.resourceBusy) { try session.open() }
        _ = client.call(Request.setOwner)
        _ = client.get(Request.getFeatures, count: 8)
        _ = client.setVring(Request.setVringNum, 0, 8)
        _ = client.setVring(Request.setVringNum, 9, 8)
        _ = client.setAddresses(0)
        _ = client.getVring(Request.getVringGroup, 2)
        _ = client.getConfiguration(offset: 6, length: 2)
        _ = client.setStatus(3)
        _ = client.call(Request.unknown, UInt64(0))
        _ = client.send(.batchBegin)
        _ = client.write([2, 0, 0])
        _ = unsafe client.map(length: 4096, protection: 2, flags: 1)
        client.file.close()
        _ = client.setStatus(0)
        #expect(
            session.text == [
                "open -> ok", "open dev2 -> EBUSY", "SET_OWNER -> ok", "GET_FEATURES -> 0x308830028",
                "SET_VRING_NUM index=0 num=8 -> ok", "SET_VRING_NUM index=9 num=8 -> ENOBUFS",
                "SET_VRING_ADDR index=0 desc=0x1000 avail=0x2000 used=0x3000 -> ok",
                "GET_VRING_GROUP index=2 -> 1", "GET_CONFIG offset=6 length=2 -> bytes=0100",
                "SET_STATUS 0x3 -> ok", "IOCTL 0x4008afee bytes=0000000000000000 -> ENOTTY",
                "BATCH_BEGIN -> ok", "write bytes=020000 -> EINVAL", "map queue=0 length=4096 -> ENOTSUPP",
                "close -> ok", "SET_STATUS 0x0 -> EBADF",
            ])
        #expect(try session.differences() == [])
    }

    @Test("has a difference where one answer was changed, and that one alone")
    func changed() throws {
        let session = try Session()
        let client = try session.open()
        _ = client.call(Request.setOwner)
        _ = client.setVring(Request.setVringNum, 9, 8)
        var script = session.script
        script.lines[2].expectation = .exactly(.ok)
        let answers = try ScriptPlayer.play(script, on: PlayerTests.target())
        #expect(
            script.differences(from: answers) == [
                ScriptDifference(
                    line: 2, expected: .exactly(.ok), seen: .error(Errno(rawValue: 105)))
            ])
    }

    @Test(
        "calls an eventfd by its first use, however it is duplicated, and tells it from other files and none")
    func descriptors() throws {
        let session = try Session()
        let client = try session.open()
        _ = client.call(Request.setOwner)
        let event = try EventFD()
        let twin = try EventFD(duplicating: event.descriptor)
        let other = try EventFD()
        _ = client.setVring(Request.setVringKick, 0, file: event.descriptor.rawValue)
        _ = client.setVring(Request.setVringCall, 0, file: twin.descriptor.rawValue)
        _ = client.setVring(Request.setVringKick, 0, file: other.descriptor.rawValue)
        _ = client.setVring(Request.setVringKick, 0, file: -1)
        _ = client.setVring(Request.setVringKick, 0, file: 1 << 30)
        let null = try FileDescriptor.open(FilePath("/dev/null"), .readWrite, options: .closeOnExec)
        defer { try? null.close() }
        _ = client.call(Request.setConfigCall, null.rawValue)
        #expect(
            session.text.dropFirst(2) == [
                "eventfd kick0", "SET_VRING_KICK index=0 fd=kick0 -> ok",
                "SET_VRING_CALL index=0 fd=kick0 -> ok", "eventfd kick0-2",
                "SET_VRING_KICK index=0 fd=kick0-2 -> ok", "SET_VRING_KICK index=0 fd=none -> ok",
                "SET_VRING_KICK index=0 fd=closed -> EBADF", "SET_CONFIG_CALL fd=null -> EINVAL",
            ])
        #expect(try session.differences() == [])
    }

    @Test("finds the areas of a range among those of the process, whole, and no other line is one")
    func areas() {
        let text = """
            1000-3000 rw-s 00000000 00:01 2048 /memfd:ram
            3000-4000 r--p 00000000 00:00 0 [a name-with 9000-a000]
            nonsense
            -
            8000-9000 ---p 00000000 00:00 0
            7f0000000000-7fffffffffff rwxp 00000000 00:00 0
            ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
            """
        func found(_ range: Range<UInt64>) -> [Range<UInt64>] {
            ProcessArea.among(text, in: range).map(\.range)
        }
        #expect(found(0..<0x1000) == [] && found(0..<0x1001) == [0x1000..<0x3000])
        #expect(found(0x2fff..<0x3001) == [0x1000..<0x3000, 0x3000..<0x4000])
        #expect(found(0x3000..<0x3001) == [0x3000..<0x4000])
        #expect(found(0x4000..<0x8000) == [] && found(0x9000..<0xa000) == [])
        #expect(found(0..<UInt64.max).count == 5)
        #expect(ProcessArea.among(text, in: 0x8000..<0x8001).first?.protection == ScriptProtection.none)
        #expect(ProcessArea.among(text, in: 0x1000..<0x1001).first?.isShared == true)
    }

    @Test("makes the memory that an UPDATE speaks of, whole, with its kind and what it does not permit")
    func memory() throws {
        let session = try Session()
        let client = try session.open()
        _ = client.call(Request.setOwner)
        let shared = try TestPages(pages: 4)
        let heap = try TestPages(pages: 2, kind: .privateAnonymous)
        let text = try TestPages(pages: 2, isWritable: false)
        let page = UInt64(TestPages.pageSize)
        shared.forbid(from: 3)
        _ = client.send(.update, iova: 0x1000, size: page, user: shared.address + 4096)
        _ = client.send(.update, iova: 0x1_0000, size: 4 * page, user: shared.address)
        _ = client.send(.update, iova: 0x2_0000, size: page, user: heap.address)
        _ = client.send(.update, iova: 0x3_0000, size: 2 * page, user: text.address, permission: 1)
        _ = client.send(.update, iova: 0x4_0000, size: page, user: 0x1000)
        _ = client.send(.invalidate, iova: 0x1000, size: page, user: shared.address)
        let made = session.script.steps.compactMap { step -> String? in
            switch step {
            case .memory(_, _, let kind): kind.rawValue
            case .protect(_, _, _, let protection): "protect \(protection.rawValue)"
            case .message(let message, _): "\(message.kind.name) \(message.memory)"
            default: nil
            }
        }
        // The machine may have put areas of one kind next to each other, which then are one: the kinds tell.
        #expect(made.filter { $0 == "shared" }.count >= 1)
        #expect(made.contains("private") && made.contains("readonly") && made.contains("protect none"))
        #expect(session.text.contains("UPDATE iova=0x40000 size=0x1000 memory=0x1000 access=rw -> ok"))
        #expect(session.text.contains("INVALIDATE iova=0x1000 size=0x1000 -> ok"))
        #expect(try session.differences() == [])
    }

    @Test(
        "keeps an address that could not be read, as one that no process has or as one of memory that is like it"
    )
    func pointers() throws {
        let session = try Session()
        let client = try session.open()
        _ = client.call(Request.setOwner)
        let pages = try TestPages(pages: 2)
        pages.store([1, 0, 0, 0], at: 4092)
        pages.forbid(from: 1)
        let text = try TestPages(pages: 1, isWritable: false)
        _ = client.call(Request.getStatus, address: 0)
        _ = client.call(Request.setVringNum, address: pages.address + 4092)
        _ = client.call(Request.getFeatures, address: text.address)
        _ = client.call(Request.setStatus, address: 0x7f_ffff_ffff)
        #expect(session.text.contains("GET_STATUS @null -> EFAULT"))
        let answers = session.script.lines.compactMap { line -> String? in
            guard case .request(let request, _, _) = line.step, case .pointer = request.argument else {
                return nil
            }
            return "\(request.kind?.name ?? "") \(line.description.split(separator: " ").last ?? "")"
        }
        #expect(
            answers == [
                "GET_STATUS EFAULT", "SET_VRING_NUM EFAULT", "GET_FEATURES EFAULT", "SET_STATUS EFAULT",
            ])
        #expect(session.text.contains { $0.hasPrefix("store ") && $0.hasSuffix("bytes=01000000") })
        // A sanitizer's runtime has mapped what no process has otherwise.
        if ProcessInfo.processInfo.environment["EMU_SANITIZER"] == nil {
            #expect(session.text.contains { $0.hasPrefix("unmap hole+0x0") })
        }
        #expect(try session.differences() == [])
    }

    @Test(
        "makes rings empty where they start, so that nothing of what the guest's memory held is needed",
        arguments: ["sim,profile=vdpasim-net", "sim", "sim,parent=dma-map", "sim,parent=vduse"])
    func rings(specification: String) throws {
        let session = try Session(specification)
        let traits = try DeviceTraits.probe(session.opener)
        let client = try session.open()
        _ = client.call(Request.setOwner)
        _ = client.acknowledge(traits.backendFeatures & 1 << BackendBit.persist)
        let driver = try OnePageDriver(session.opener, traits)
        let map = driver.map(RuleClient(client.file))
        #expect(map == nil)
        let running = RuleClient(client.file)
        try driver.start(running)
        try driver.expectTraffic("recorded")
        let bases = try [UInt32(0), 1].map { try client.getVring(Request.getVringBase, $0).get() }
        #expect(bases[1] == 1)
        _ = client.setStatus(0)
        try driver.start(running, goingOnAt: bases)
        try driver.expectTraffic("recorded, once more")
        _ = client.getVring(Request.getVringBase, 1)
        #expect(session.text.contains("GET_VRING_BASE index=1 -> ?1"))
        #expect(session.text.contains("GET_VRING_BASE index=1 -> ?2"))
        // The avail and the used index of each ring that goes on elsewhere than at zero, before the device runs.
        let stores = session.text.enumerated().filter { $0.element.hasPrefix("store ") }
        #expect(
            stores.map { $0.element.suffix(4) }
                == bases.filter { $0 != 0 }.flatMap { ["0\($0)00", "0\($0)00"] })
        let last = try #require(session.text.lastIndex(of: "SET_STATUS 0xf -> ok"))
        #expect(stores.allSatisfy { $0.offset < last })
        #expect(try session.differences() == [])
    }

    @Test("has no ring's index where its memory is not mapped, and has it before an UPDATE that brings it")
    func unmapped() throws {
        let session = try Session()
        let client = try session.open()
        _ = client.call(Request.setOwner)
        let pages = try TestPages(pages: 4)
        _ = client.setStatus(3)
        _ = client.call(Request.setFeatures, UInt64(0x3_0000_0000))
        _ = client.setVring(Request.setVringNum, 1, 8)
        _ = client.setVring(Request.setVringBase, 1, 7)
        _ = client.setAddresses(1)
        _ = client.setVring(Request.setVringEnable, 1, 1)
        _ = client.setStatus(0xf)
        #expect(!session.text.contains { $0.hasPrefix("store") })
        _ = client.send(
            .update, iova: 0x1000, size: UInt64(pages.byteCount), user: pages.address)
        let lines = session.text.suffix(3)
        #expect(lines.last?.hasPrefix("UPDATE ") == true)
        #expect(lines.dropLast().allSatisfy { $0.hasPrefix("store ") && $0.hasSuffix("bytes=0700") })
        #expect(try session.differences() == [])
    }

    @Test(
        "takes no answer of a control queue's command, nor of a device that asked for a reset, for what must be"
    )
    func frames() throws {
        let device = AnsweringDevice(status: 0x4f)
        var lines: [String] = []
        let recorder = ScriptRecorder { lines.append($0.description) }
        let client = Client(recorder.record(device))
        _ = client.getConfiguration(offset: 0, length: 1)
        _ = client.call(Request.setFeatures, UInt64(1 << 17))
        _ = client.setStatus(0xf)
        _ = client.getConfiguration(offset: 0, length: 1)
        _ = client.get(Request.getStatus, count: 1)
        device.refusal = .invalidArgument
        _ = client.setStatus(0xf)
        device.refusal = nil
        _ = client.setStatus(0)
        _ = client.setStatus(1)
        #expect(
            lines == [
                "open -> ok", "GET_CONFIG offset=0 length=1 -> bytes=00", "SET_FEATURES 0x20000 -> ok",
                "SET_STATUS 0xf -> ok", "GET_CONFIG offset=0 length=1 -> ?bytes=00", "GET_STATUS -> ?0x4f",
                "SET_STATUS 0xf", "SET_STATUS 0x0 -> ?ok", "SET_STATUS 0x1 -> ok",
            ])
    }

    @Test("has no line for what a signal interrupted, and forwards why a message was refused")
    func forwarded() throws {
        let device = AnsweringDevice(status: 0)
        device.refusal = .interrupted
        var lines: [String] = []
        let recorder = ScriptRecorder { lines.append($0.description) }
        let file = recorder.record(device)
        #expect(Client(file).call(Request.setOwner) == .interrupted)
        #expect(lines == ["open -> ok"])
        #expect(file.lastRefusal == "no")
        file.close()
        file.close()
        #expect(lines == ["open -> ok", "close -> ok"])
    }

    @Test("has a forked child's call as one")
    func child() throws {
        let session = try Session()
        let client = try session.open()
        _ = client.call(Request.setOwner)
        let call = try #require(session.opener.ioctlFromChild)
        var bytes = stateBytes(index: 0, number: 8)
        let error = unsafe bytes.withUnsafeMutableBytes { buffer in
            client.file.ioctlFromChild(Request.setVringNum, UInt(bitPattern: buffer.baseAddress), call)
        }
        #expect(error == .notPermitted)
        #expect(session.text.last == "child SET_VRING_NUM index=0 num=8 -> EPERM")
        #expect(try session.differences() == [])
    }

    private func stateBytes(index: UInt32, number: UInt32) -> [UInt8] {
        index.littleEndianBytes + number.littleEndianBytes
    }
}

/// A device that does nothing and answers as it is told.
private final class AnsweringDevice: RefusalReporting {
    private let status: UInt8
    var refusal: Errno?
    var lastRefusal: String? { "no" }

    init(status: UInt8) { self.status = status }

    func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        if let refusal { throw refusal }
        if request == Request.getStatus {
            unsafe UnsafeMutablePointer<UInt8>(bitPattern: argument)?.pointee = status
        }
        return 0
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int { 72 }

    func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer { throw .notSupported }

    func close() {}
}
