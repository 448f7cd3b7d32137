import Glibc
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance

@Suite("The file and its owner, where the rules do not look")
struct OwnershipRules {
    @Test("1. The last reference closes", arguments: Specifications.all)
    func closesWithLastReference(_ specification: String) throws {
        let client = try Client(specification)
        client.file.close()
        do { _ = try client.device.open() }
        #expect(client.device.diagnostics.isOpen == false)
    }

    @Test("Every call after close is EBADF", arguments: Specifications.all)
    func closedFile(_ specification: String) throws {
        let client = try Client.owned(specification)
        client.file.close()
        #expect(client.call(Request.suspend) == .badFileDescriptor)
        #expect(client.send(.batchBegin) == .badFileDescriptor)
    }

    @Test("4. A vring ioctl from a forked child is EPERM", arguments: Specifications.all)
    func forkedChild(_ specification: String) throws {
        let client = try Client.owned(specification)
        client.file.caller = .forkedChild()
        #expect(client.setVring(Request.setVringNum, 0, 256) == .notPermitted)
        #expect(client.send(.batchBegin) == .badAddress)
        #expect(client.file.mapFailures.last?.cause == .notPermitted)
        client.file.caller = .process
        #expect(client.setVring(Request.setVringNum, 0, 256) == nil)
    }

    @Test("5. UPDATE without an owner is EFAULT", arguments: Specifications.all)
    func updateWithoutOwner(_ specification: String) throws {
        let client = try Client(specification)
        let memory = Memory(pages: 1)
        #expect(client.update(0x1000, memory) == .badAddress)
        #expect(client.file.mapFailures.last?.cause == .notPermitted)
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.update(0x1000, memory) == nil)
    }

    @Test("7. An unknown request is ENOTTY with an owner, EPERM without", arguments: Specifications.all)
    func unknownRequest(_ specification: String) throws {
        let client = try Client(specification)
        #expect(client.call(0x4008_afee, [0, 0]) == .notPermitted)
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.call(0x4008_afee, [0, 0]) == .unknownRequest)
        #expect(client.call(0x4008_afee, [99, 0]) == .noBufferSpace)
        #expect(client.call(0x4008_afee, address: 8) == .badAddress)
    }

    @Test("8. SET_LOG_BASE and SET_LOG_FD are ENOTTY without an owner", arguments: Specifications.all)
    func logRequests(_ specification: String) throws {
        let client = try Client(specification)
        #expect(client.call(Request.setLogBase, 0) == .unknownRequest)
        #expect(client.call(Request.setLogFD, 0) == .unknownRequest)
    }

    @Test("SET_MEM_TABLE is checked and forgotten", arguments: Specifications.all)
    func memoryTable(_ specification: String) throws {
        let client = try Client(specification)
        #expect(client.call(Request.setMemTable, [0, 0]) == .notPermitted)
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.call(Request.setMemTable, [0, 0]) == nil)
        #expect(client.call(Request.setMemTable, [0, 1]) == .operationNotSupported)
        #expect(client.call(Request.setMemTable, [65, 0]) == .argListTooLong)
        #expect(client.call(Request.setMemTable, address: 8) == .badAddress)
    }

    @Test("A bad pointer is EFAULT on every request that takes one", arguments: Specifications.all)
    func badPointers(_ specification: String) throws {
        let client = try Client.owned(specification)
        let guarded = Memory(pages: 1, protection: PROT_NONE)
        var requests = [
            Request.getFeatures, Request.setFeatures, Request.setVringNum, Request.setVringAddr,
            Request.setVringBase, Request.getVringBase, Request.setVringKick, Request.setVringCall,
            Request.setVringErr, Request.setBackendFeatures, Request.getBackendFeatures,
            Request.getDeviceID, Request.getStatus, Request.setStatus, Request.getConfig,
            Request.setConfig, Request.setVringEnable, Request.getVringNum, Request.setConfigCall,
            Request.getIOVARange, Request.getConfigSize, Request.getASNum, Request.getVringGroup,
            Request.setGroupASID, Request.getVqsCount, Request.getGroupNum,
        ]
        if client.kernel != .v6_1 { requests += [Request.getVringDescGroup, Request.getVringSize] }
        for request in requests {
            for address in [0, guarded.address, UInt.max - 3] {
                #expect(client.call(request, address: address) == .badAddress)
            }
        }
    }

    @Test("Read-only memory takes no answer: EFAULT", arguments: Specifications.all)
    func readOnlyAnswer(_ specification: String) throws {
        let client = try Client.owned(specification)
        let readOnly = Memory(pages: 1, protection: PROT_READ)
        #expect(client.call(Request.getFeatures, address: readOnly.address) == .badAddress)
        #expect(client.call(Request.getVringBase, address: readOnly.address) == .badAddress)
        #expect(client.call(Request.setVringEnable, address: readOnly.address) == nil)
    }

    @Test("FORK_FROM_OWNER is kept before there is an owner, and by the open file alone")
    func forkFromOwner() throws {
        let (set, get): (UInt, UInt) = (0x4001_af84, 0x8001_af85)
        let client = try Client("sim")
        #expect(client.get(get, count: 1) == .success(1))
        #expect(client.call(set, UInt8(2)) == .invalidArgument)
        #expect(client.call(set) == .badAddress)
        #expect(client.call(set, UInt8(0)) == nil)
        #expect(client.get(get, count: 1) == .success(0))
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.call(set) == .resourceBusy)
        #expect(client.get(get, count: 1) == .success(0))
        #expect(client.call(get) == .badAddress)
        try client.reopen()
        #expect(client.get(get, count: 1) == .success(1))
    }

    @Test("6.1 does not know FORK_FROM_OWNER: EPERM, then what any unknown request is")
    func forkFromOwnerBefore() throws {
        let client = try Client("sim,kernel=6.1")
        #expect(client.call(0x8001_af85, UInt8(0)) == .notPermitted)
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.call(0x4001_af84) == .badAddress)
        #expect(client.call(0x4001_af84, UInt64(0)) == .unknownRequest)
    }
}
