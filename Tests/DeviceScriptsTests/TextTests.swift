import GuestMemory
import SystemPackage
import Testing
import VhostVDPA

@testable import DeviceScripts

@Suite("A script's text")
struct TextTests {
    /// One line for each kind of step, of answer and of argument.
    static let lines = [
        "open -> ok", "open second -> EBUSY", "close", "close second", "# a comment alone",
        "memory ram 64K shared", "memory heap 4K private", "memory text 8K readonly",
        "protect ram+0x1000 4K none", "unmap ram+0x2000 8K", "store ram+0x10 bytes=00ff0a",
        "load ram+0x10 length=3 -> bytes=00ff0a", "eventfd kick", "eventfd full count=18446744073709551614",
        "signal kick", "signal kick count=5 -> EAGAIN", "take kick -> 6", "settle", "pause 5ms",
        "GET_FEATURES -> 0x308830028", "SET_FEATURES 0x300000000", "SET_FEATURES @null -> EFAULT",
        "SET_OWNER -> ok  # by this process", "child SET_VRING_NUM index=0 num=8 -> EPERM",
        "second.GET_STATUS -> 0xf", "SET_VRING_NUM index=0 num=256", "GET_VRING_BASE index=1 -> ?4711",
        "SET_VRING_ADDR index=0 desc=0x1000 avail=0x2000 used=0x3000",
        "SET_VRING_ADDR index=0 flags=2 desc=0x1000 avail=0x2000 used=0x3000 log=0x4000",
        "SET_VRING_KICK index=0 fd=kick", "SET_VRING_CALL index=0 fd=none", "SET_VRING_ERR index=0 fd=closed",
        "SET_CONFIG_CALL fd=null -> EINVAL", "GET_CONFIG offset=0 length=6 -> bytes=525400123456",
        "SET_CONFIG offset=0 bytes=01", "GET_IOVA_RANGE -> 0x0..0xffffffffffffffff",
        "SET_GROUP_ASID group=1 asid=1", "GET_VRING_GROUP index=2 -> 1", "SUSPEND", "RESUME -> EOPNOTSUPP",
        "IOCTL 0x4008afee bytes=0000000000000000 -> ENOTTY", "IOCTL 0xaf99", "SET_MEM_TABLE bytes=00",
        "GET_STATUS @ram+0xfff", "UPDATE iova=0x1000 size=0x1000 memory=ram+0x0 access=rw -> ok",
        "UPDATE v1 size=0x1000 memory=0x7fff00000000 access=7", "INVALIDATE asid=1 iova=0x1000 size=0x1000",
        "BATCH_BEGIN", "BATCH_END asid=1", "MISS", "ACCESS_FAIL", "write bytes=020000 -> EINVAL",
        "second.write @ram+0x0 length=72", "map queue=0 length=4096 -> ENOTSUPP",
        "map queue=1 length=8192 readable private -> EINVAL", "doorbell queue=0", "take kick -> E999",
    ]

    @Test("is the same after it was read", arguments: lines)
    func roundTrip(line: String) throws {
        let script = try DeviceScript(parsing: line)
        #expect(script.description == line + "\n")
        #expect(try DeviceScript(parsing: script.description) == script)
    }

    @Test("keeps lines, empty ones too, and takes tabs, carriage returns and spaces at will")
    func spaces() throws {
        let script = try DeviceScript(parsing: "open\r\n\n  SET_OWNER\t->   ok #  twice\n")
        #expect(script.description == "open\n\nSET_OWNER -> ok  # twice\n")
    }

    @Test(
        "is refused whole for one line that is none, with its number and what may stand there",
        arguments: [
            ("GET_FEATURE", "'GET_FEATURE' is no call"), ("SET_VRING_NUM index=0 num", "'num' is no number"),
            ("SET_VRING_NUM index=4294967296 num=1", "32 bits"), ("SET_STATUS x", "'x' is no number"),
            ("SET_STATUS 1 2", "'2' says nothing"), ("UPDATE access=9999", "access= takes"),
            ("SET_VRING_NUM index=0 index=1", "stands twice"), ("memory 4K shared", "'4K' is no name"),
            ("memory ram 4K public", "'public' is none of shared, private, readonly"),
            ("memory ram 0 shared", "is no size"), ("store ram+0 bytes=0", "is no bytes"),
            ("store ram+0", "takes bytes="), ("eventfd none", "are taken"),
            ("GET_STATUS -> maybe", "is no answer"),
            ("GET_STATUS ->", "one answer is expected"), ("GET_STATUS -> 1 2", "one answer is expected"),
            ("GET_STATUS -> ?EINVAL", "no error"), ("child open", "a child makes ioctls alone"),
            ("child", "a call is expected"), ("second.settle", "is not done to a file"),
            ("pause 5", "is no time"), ("IOCTL x", "a request's number first"),
            ("1st.GET_STATUS", "is no name"),
        ])
    func refused(line: String, reason: String) {
        let error = #expect(throws: ScriptTextError.self) {
            try DeviceScript(parsing: "open\n\(line)\nclose\n")
        }
        #expect(error?.line == 2)
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
    }
}
