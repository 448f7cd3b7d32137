import Foundation
import GuestMemory
import SystemPackage
import TestSupport
import Testing
import VirtQueue
import Virtio

@testable import VDUSE

/// What the kernel writes and takes, byte by byte (include/uapi/linux/vduse.h).
@Suite struct KernelMessageTests {
    private func bytes(_ head: [UInt8], _ union: [UInt8]) -> [UInt8] {
        let start = head + [UInt8](repeating: 0, count: 24 - head.count) + union
        return start + [UInt8](repeating: 0, count: KernelMessage.byteCount - start.count)
    }

    @Test(
        "A message is decoded by its type",
        arguments: [
            ([0, 0, 0, 0, 7, 0, 0, 0], [1, 0, 0, 0], KernelMessage.Request.queueState(queue: 1)),
            ([1, 0, 0, 0, 7, 0, 0, 0], [0x0b], .setStatus([.acknowledge, .driver, .featuresOK])),
            ([1, 0, 0, 0, 7, 0, 0, 0], [0], .setStatus(.reset)),
            ([3, 0, 0, 0, 7, 0, 0, 0], [], .unknown(type: 3)),
        ] as [([UInt8], [UInt8], KernelMessage.Request)])
    func types(head: [UInt8], union: [UInt8], request: KernelMessage.Request) {
        #expect(KernelMessage(bytes: bytes(head, union)) == KernelMessage(id: 7, request: request))
    }

    @Test(
        "A range has both ends, the whole address space is one, and one that ends before it begins is unknown"
    )
    func ranges() throws {
        func message(_ first: UInt64, _ last: UInt64) -> KernelMessage? {
            var structure = KernelStructure(byteCount: KernelMessage.byteCount)
            structure.set(0, 2 as UInt32)
            structure.set(24, first)
            structure.set(32, last)
            return KernelMessage(bytes: structure.bytes)
        }
        let everything = try #require(
            AddressRange(first: IOVirtualAddress(rawValue: 0), last: IOVirtualAddress(rawValue: .max)))
        #expect(message(0, .max)?.request == .updateIOTLB(everything))
        #expect(message(0x2000, 0x1fff)?.request == .unknown(type: 2))
    }

    @Test("What is not as long as a message is none", arguments: [0, 151, 153])
    func length(count: Int) {
        #expect(KernelMessage(bytes: [UInt8](repeating: 0, count: count)) == nil)
    }

    @Test("An answer names its message, its result and a queue's state, and nothing else")
    func answers() {
        let id: UInt32 = 0x0102_0304
        let head: [UInt8] = [4, 3, 2, 1]
        #expect(KernelAnswer(id: id, outcome: .done).bytes == bytes(head, []))
        #expect(KernelAnswer(id: id, outcome: .failed).bytes == bytes(head + [1], []))
        #expect(
            KernelAnswer(id: id, outcome: .queueState(queue: 1, availIndex: 0xfffe)).bytes
                == bytes(head, [1, 0, 0, 0, 0xfe, 0xff]))
    }

    @Test("A queue's information has its fields at the kernel's places")
    func information() {
        var structure = KernelStructure(byteCount: QueueInformation.byteCount)
        structure.set(4, 256 as UInt32)
        structure.set(8, 0x1000 as UInt64)
        structure.set(16, 0x2000 as UInt64)
        structure.set(24, 0x3000 as UInt64)
        structure.set(32, 0x1234 as UInt16)
        structure.set(40, 1 as UInt8)
        let addresses = RingAddresses(descriptorArea: 0x1000, driverArea: 0x2000, deviceArea: 0x3000)
        let information = QueueInformation(structure)
        #expect(
            information
                == QueueInformation(size: 256, addresses: addresses, availIndex: 0x1234, isReady: true))
        #expect(information.layout == RingLayout(size: 256, addresses: addresses))
        #expect(
            QueueInformation(size: 0x10000, addresses: addresses, availIndex: 0, isReady: true).layout == nil)
    }

    @Test("A device is made with its name, features, queues and configuration at the kernel's places")
    func description() throws {
        let name = try #require(VDUSEName("vduse0"))
        let description = VDUSEDescription(
            deviceID: .network, features: [.version1, .accessPlatform], dataPathFeatures: [], queueCount: 2,
            maximumQueueSize: 1024, configuration: [1, 2, 3])
        let structure = description.structure(name)
        #expect(structure.bytes.count == 339)
        #expect(Array(structure.bytes.prefix(7)) == Array("vduse0".utf8) + [0])
        #expect(structure.field(260, UInt32.self) == 1)
        #expect(structure.field(264, UInt64.self) == 3 << 32)
        #expect(structure.field(272, UInt32.self) == 2)
        #expect(structure.field(332, UInt32.self) == 3)
        #expect(Array(structure.bytes.suffix(3)) == [1, 2, 3])
        // What is reserved must be zero (`vduse_validate_config`).
        #expect(structure.bytes[280..<332].allSatisfy { $0 == 0 })
    }

    @Test(
        "A name is one that a file and `vdpa` can have",
        arguments: [
            ("vduse0", true), ("a.b_c-1", true), ("", false), ("control", false), ("a/b", false),
            ("..", false),
            ("-a", false), ("a b", false), ("ä", false), (String(repeating: "a", count: 255), true),
            (String(repeating: "a", count: 256), false),
        ])
    func names(text: String, isName: Bool) {
        #expect((VDUSEName(text) != nil) == isName)
    }

    @Test("Where there is no VDUSE one line says what, why and what to do")
    func unavailable() {
        do throws(VDUSEError) {
            _ = try VDUSEControl(folder: "/nowhere/vduse")
            Issue.record("there is a /nowhere/vduse/control")
        } catch {
            #expect(error.code == .unavailable)
            for words in ["/nowhere/vduse/control", "No such file", "modprobe vduse", "6.12"] {
                #expect("\(error)".contains(words), "\(error)")
            }
        }
    }

    @Test("A file that is no control file is refused by name")
    func otherFile() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/control", withDestinationPath: "/dev/null")
        do throws(VDUSEError) {
            _ = try VDUSEControl(folder: FilePath(folder.path))
            Issue.record("/dev/null takes VDUSE_SET_API_VERSION")
        } catch {
            #expect(error.code == .unavailable && "\(error)".contains("not VDUSE's control file"), "\(error)")
        }
    }
}
