import Glibc
import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance
import VirtQueue
import Virtio

@Suite("Configuration and queues, seen from the data path")
struct QueueRules {
    @Test(
        "22. The limits: configuration, queues, groups, spaces, ring size, type",
        arguments: Specifications.all)
    func limits(_ specification: String) throws {
        let client = try Client(specification)
        #expect(client.get(Request.getConfigSize, count: 4) == .success(24))
        #expect(client.get(Request.getVqsCount, count: 4) == .success(2))
        #expect(client.get(Request.getGroupNum, count: 4) == .success(1))
        #expect(client.get(Request.getASNum, count: 4) == .success(2))
        #expect(client.get(Request.getVringNum, count: 2) == .success(1024))
        #expect(client.get(Request.getDeviceID, count: 4) == .success(1))
        var range = [UInt8](repeating: 7, count: 16)
        #expect(client.call(Request.getIOVARange, bytes: &range) == nil)
        #expect(range == [UInt8](repeating: 0, count: 8) + [UInt8](repeating: 255, count: 8))
    }

    @Test("22. The configuration space: MAC, link, queue pairs, MTU", arguments: [1, 2, 64])
    func configuration(_ pairs: UInt8) throws {
        let client = try Client("sim,queues=\(pairs)")
        #expect(
            client.getConfiguration(offset: 0, length: 12)
                == .success([0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 0, pairs, 0, 0xdc, 0x05]))
        #expect(client.get(Request.getVqsCount, count: 4) == .success(UInt64(pairs) * 2))
    }

    @Test("SET_CONFIG writes what GET_CONFIG reads", arguments: Specifications.all)
    func writeConfiguration(_ specification: String) throws {
        let client = try Client(specification)
        var bytes: [UInt8] = [1, 0, 0, 0, 2, 0, 0, 0, 0xaa, 0xbb]
        #expect(client.call(Request.setConfig, bytes: &bytes) == nil)
        #expect(client.getConfiguration(offset: 0, length: 4) == .success([0x52, 0xaa, 0xbb, 0x12]))
    }

    @Test("24. GET_VRING_SIZE: EOPNOTSUPP with set_map, the size with dma_map")
    func vringSize() throws {
        #expect(try Client.owned("sim").getVring(Request.getVringSize, 0) == .failure(.operationNotSupported))
        #expect(
            try Client.owned("sim,kernel=6.1").getVring(Request.getVringSize, 0) == .failure(.unknownRequest))
        let client = try Client.owned("sim,parent=dma-map")
        #expect(client.setVring(Request.setVringNum, 0, 128) == nil)
        #expect(client.getVring(Request.getVringSize, 0) == .success(1024))
        #expect(client.setStatus(0xf) == nil)
        #expect(client.getVring(Request.getVringSize, 0) == .success(128))
    }

    @Test("30. VRING_BASE 0x10000 is EINVAL for a split ring", arguments: Specifications.all)
    func ringBase(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.setVring(Request.setVringBase, 0, 0x10000) == .invalidArgument)
        #expect(client.setVring(Request.setVringBase, 0, 0xffff) == nil)
        #expect(client.getVring(Request.getVringBase, 0) == .success(0xffff))
    }

    @Test(
        "29. A base that is set in a running ring moves it: on 6.1 at any time, later once a suspended device runs again",
        arguments: ["sim,kernel=6.1", "sim", "sim,kernel=7.3", "sim,parent=dma-map"])
    func liveBase(_ specification: String) throws {
        let client = try Client.owned(specification)
        try client.start()
        if client.kernel != .v6_1 {
            #expect(client.setVring(Request.setVringBase, 0, 5) == .invalidArgument)
            #expect(client.call(Request.suspend) == nil)
            #expect(client.setStatus(0xf) == nil)
        }
        client.dataPath.advance(0, to: 2)
        client.dataPath.forgetCalls()
        #expect(client.setVring(Request.setVringBase, 0, 5) == nil)
        #expect(client.dataPath.calls == [.move(0, .split(nextAvail: 5))])
        #expect(client.getVring(Request.getVringBase, 0) == .success(5))
        // The used index is where it was, also after another stop, until the queue is made ready anew.
        #expect(client.call(Request.suspend) == nil)
        #expect(client.setVring(Request.setVringBase, 0, 4) == nil)
        client.dataPath.forgetCalls()
        #expect(client.setStatus(0xf) == nil)
        #expect(client.dataPath.starts.map(\.usedLag) == [2, 0])
        #expect(client.setVring(Request.setVringEnable, 0, 0) == nil)
        client.dataPath.forgetCalls()
        #expect(client.setVring(Request.setVringEnable, 0, 1) == nil)
        #expect(client.dataPath.starts.map(\.usedLag) == [0])
        #expect(client.dataPath.starts.map(\.state) == [.split(nextAvail: 4)])
    }

    @Test(
        "29. Behind the platform's IOMMU a base waits for the next start", arguments: ["sim,parent=platform"])
    func baseOfAnotherParent(_ specification: String) throws {
        let client = try Client.owned(specification)
        try client.start()
        #expect(client.call(Request.suspend) == nil)
        #expect(client.setStatus(0xf) == nil)
        client.dataPath.forgetCalls()
        #expect(client.setVring(Request.setVringBase, 0, 5) == nil)
        #expect(client.dataPath.calls.isEmpty)
    }

    @Test(
        "30. A packed ring's base is any 32 bits, once a parent has kept RING_PACKED although nobody offers it",
        arguments: ["sim,parent=vduse", "sim,parent=vp-vdpa", "sim"])
    func packedBase(_ specification: String) throws {
        let client = try Client.owned(specification)
        let keeps = specification != "sim"
        let isSettled = specification == "sim,parent=vduse"
        let refusal: Errno? = keeps ? isSettled ? nil : .operationNotSupported : .invalidArgument
        #expect(client.setStatus(3) == nil)
        #expect(client.call(Request.setFeatures, UInt64(1 << 34 | 1 << 33 | 1 << 32)) == nil)
        #expect(client.setVring(Request.setVringBase, 0, 0xffff_ffff) == refusal)
        #expect(client.setStatus(0xb) == nil)
        #expect(client.setVring(Request.setVringBase, 0, 0xffff_ffff) == refusal)
        // vp_vdpa takes where a packed ring begins.
        #expect(client.setVring(Request.setVringBase, 0, 0x8000_8000) == (keeps ? nil : .invalidArgument))
        // A status reset leaves vhost's memory, other features and a close do not.
        #expect(client.setStatus(0) == nil)
        #expect(client.setVring(Request.setVringBase, 0, 0xffff_ffff) == refusal)
        #expect(client.setStatus(3) == nil)
        #expect(client.call(Request.setFeatures, UInt64(1 << 33 | 1 << 32)) == nil)
        #expect(client.setVring(Request.setVringBase, 0, 0xffff_ffff) == .invalidArgument)
        #expect(client.call(Request.setFeatures, UInt64(1 << 34 | 1 << 33 | 1 << 32)) == nil)
        try client.reopen()
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.setVring(Request.setVringBase, 0, 0xffff_ffff) == .invalidArgument)
    }

    @Test("27. VRING_NUM is read whole before its index is looked at; on 6.1 the index comes first")
    func sizeAtTheEndOfMemory() throws {
        let memory = Memory(pages: 2)
        memory.forbidPages(from: 1)
        let address = memory.address + UInt(Memory.pageSize) - 4
        unsafe UnsafeMutableRawPointer(bitPattern: address)?.storeBytes(of: 9, as: UInt32.self)
        for (specification, expected) in [("sim", Errno.badAddress), ("sim,kernel=6.1", .noBufferSpace)] {
            let client = try Client.owned(specification)
            #expect(client.call(Request.setVringNum, address: address) == expected)
            #expect(client.call(Request.setVringBase, address: address) == .noBufferSpace)
        }
    }

    @Test("31. KICK, CALL, ERR: EBADF, EINVAL for another file, -1 unbinds", arguments: Specifications.all)
    func eventFiles(_ specification: String) throws {
        let client = try Client.owned(specification)
        let event = try EventCounter()
        let null = try FileDescriptor.open(FilePath("/dev/null"), .readWrite)
        for request in [Request.setVringKick, Request.setVringCall, Request.setVringErr] {
            #expect(client.setVring(request, 0, file: 9999) == .badFileDescriptor)
            #expect(client.setVring(request, 0, file: -2) == .badFileDescriptor)
            #expect(client.setVring(request, 0, file: null.rawValue) == .invalidArgument)
            #expect(client.setVring(request, 0, file: event.descriptor.rawValue) == nil)
            #expect(client.setVring(request, 0, file: -1) == nil)
        }
        try null.close()
        #expect(client.dataPath.calls.contains(.kickBound(0, isBound: true)))
    }

    @Test(
        "A call that was set while its queue was off comes with the start; one that is set later counts at once",
        arguments: Specifications.all)
    func callOfRunningQueue(_ specification: String) throws {
        let client = try Client.owned(specification)
        let event = try EventCounter()
        #expect(client.setVring(Request.setVringCall, 1, file: event.descriptor.rawValue) == nil)
        #expect(client.dataPath.calls.allSatisfy { if case .callBound = $0 { false } else { true } })
        try client.start()
        #expect(client.dataPath.starts.map(\.hasCall) == [false, true])
        client.dataPath.forgetCalls()
        #expect(client.setVring(Request.setVringCall, 0, file: event.descriptor.rawValue) == nil)
        #expect(client.setVring(Request.setVringCall, 1, file: -1) == nil)
        #expect(
            client.dataPath.calls == [.callBound(0, isBound: true), .callBound(1, isBound: false)])
    }

    @Test("A reset forgets the calls", arguments: Specifications.all)
    func resetForgetsCalls(_ specification: String) throws {
        let client = try Client.owned(specification)
        let event = try EventCounter()
        #expect(client.setVring(Request.setVringCall, 1, file: event.descriptor.rawValue) == nil)
        try client.start()
        #expect(client.setStatus(0) == nil)
        client.dataPath.forgetCalls()
        try client.start()
        #expect(client.dataPath.starts.map(\.hasCall) == [false, false])
    }

    @Test("Rebinding the same kick eventfd starts no new poll; another one does", arguments: ["sim"])
    func rebindKick(_ specification: String) throws {
        let client = try Client.owned(specification)
        let event = try EventCounter()
        let copy = try event.descriptor.duplicate()
        let other = try EventCounter()
        #expect(client.setVring(Request.setVringKick, 0, file: event.descriptor.rawValue) == nil)
        client.dataPath.forgetCalls()
        #expect(client.setVring(Request.setVringKick, 0, file: copy.rawValue) == nil)
        #expect(client.dataPath.calls == [])
        #expect(client.setVring(Request.setVringKick, 0, file: other.descriptor.rawValue) == nil)
        #expect(client.dataPath.calls == [.kickBound(0, isBound: true)])
        try copy.close()
    }

    @Test("The busy-loop timeout is kept and never used", arguments: Specifications.all)
    func busyLoopTimeout(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.getVring(0x4008_af24, 1) == .success(0))
        #expect(client.setVring(0x4008_af23, 1, 77) == nil)
        #expect(client.getVring(0x4008_af24, 1) == .success(77))
        #expect(client.getVring(0x4008_af24, 0) == .success(0))
    }

    @Test("33. RESUME does not exist on 6.1: EPERM, EFAULT or ENOTTY as any unknown request")
    func resumeBefore63() throws {
        let client = try Client("sim,kernel=6.1")
        #expect(client.call(Request.resume) == .notPermitted)
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.call(Request.resume) == .badAddress)
        #expect(client.call(Request.resume, [0, 0]) == .unknownRequest)
    }

    @Test("34. DRIVER_OK starts the queues and kicks none", arguments: Specifications.all)
    func driverOKKicksNothing(_ specification: String) throws {
        let client = try Client.owned(specification)
        try client.start(base: 3)
        let layout = RingLayout(
            size: 256,
            addresses: RingAddresses(
                descriptorArea: IOVirtualAddress(rawValue: 0x1000),
                driverArea: IOVirtualAddress(rawValue: 0x2000),
                deviceArea: IOVirtualAddress(rawValue: 0x3000)))
        let features: VirtioFeatures = [.indirectDescriptors, .eventIndex]
        #expect(
            client.dataPath.calls.contains(
                .start([.init(0, layout, features, base: 3), .init(1, layout, features, base: 3)])))
        #expect(!client.dataPath.calls.contains { if case .kick = $0 { true } else { false } })
    }

    @Test("A reset zeroes ready, addresses and base, and keeps the size", arguments: Specifications.all)
    func resetForgets(_ specification: String) throws {
        let client = try Client.owned(specification)
        try client.start(base: 5)
        #expect(client.setStatus(0) == nil)
        #expect(client.dataPath.running == [])
        #expect(client.getVring(Request.getVringBase, 0) == .success(0))
        client.dataPath.forgetCalls()
        #expect(client.setStatus(0xf) == nil)
        #expect(client.dataPath.running == [])
        #expect(client.setVring(Request.setVringEnable, 0, 1) == nil)
        guard case .start(let starts) = client.dataPath.calls.last, let start = starts.first else {
            Issue.record("queue 0 did not start: \(client.dataPath.calls)")
            return
        }
        #expect(starts.count == 1 && start.queue == 0 && start.state == .split(nextAvail: 0))
        #expect(start.layout.size == 256)
        #expect(start.layout.addresses.descriptorArea.rawValue == 0)
    }

    @Test(
        "GET_VRING_BASE of a running queue is its position, and loses no kick", arguments: Specifications.all)
    func baseWhileRunning(_ specification: String) throws {
        let client = try Client.owned(specification)
        try client.start(base: 1)
        client.dataPath.advance(1, to: 300)
        client.dataPath.forgetCalls()
        #expect(client.getVring(Request.getVringBase, 1) == .success(300))
        #expect(client.dataPath.running == [0, 1])
        // Asked and left alone: what is not stopped loses no kick.
        #expect(client.dataPath.calls == [.states(1..<2)])
    }

    @Test("SUSPEND changes no base of a queue that does not run")
    func baseOfStoppedQueue() throws {
        let client = try Client.owned("sim")
        #expect(client.setStatus(0x3) == nil)
        #expect(client.call(Request.setFeatures, 0x3_3000_0000) == nil)
        #expect(client.setStatus(0xb) == nil)
        for queue in UInt32(0)..<2 {
            #expect(client.setVring(Request.setVringNum, queue, 256) == nil)
            #expect(client.setVring(Request.setVringBase, queue, 9) == nil)
            #expect(client.setAddresses(queue) == nil)
        }
        #expect(client.setVring(Request.setVringEnable, 1, 1) == nil)
        #expect(client.setStatus(0xf) == nil)
        #expect(client.dataPath.running == [1])
        // Where the data path has left a queue is nothing to one that does not run.
        for queue in 0..<2 { client.dataPath.advance(queue, to: 300) }
        #expect(client.call(Request.suspend) == nil)
        #expect(client.getVring(Request.getVringBase, 0) == .success(9))
        #expect(client.getVring(Request.getVringBase, 1) == .success(300))
    }

    @Test("38. The doorbell mapping is refused with the kernel's errno", arguments: Specifications.all)
    func doorbell(_ specification: String) throws {
        let file = try Client.owned(specification).file
        let page = Memory.pageSize
        func map(_ length: Int, _ protection: Int32, _ flags: Int32 = MAP_SHARED, offset: Int = 0) -> Errno? {
            do throws(Errno) {
                _ = try unsafe file.map(length: length, protection: protection, flags: flags, offset: offset)
                return nil
            } catch {
                return error
            }
        }
        #expect(map(page, PROT_WRITE) == .kernelNotSupported)
        #expect(map(1, PROT_WRITE) == .kernelNotSupported)
        #expect(map(2 * page, PROT_WRITE) == .invalidArgument)
        #expect(map(page, PROT_READ | PROT_WRITE) == .invalidArgument)
        #expect(map(page, PROT_WRITE, MAP_PRIVATE) == .invalidArgument)
        #expect(map(page, PROT_WRITE, offset: 1) == .invalidArgument)
        #expect(map(0, PROT_WRITE) == .invalidArgument)
        #expect(map(.max, PROT_WRITE) == .invalidArgument)
    }
}
