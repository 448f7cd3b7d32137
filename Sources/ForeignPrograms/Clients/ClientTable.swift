internal import CLinux
internal import SimulatedVDPA
internal import SystemPackage

/// The address spaces that have called a device: vhost's owner is one, so each must be known again.
///
/// A thread of the same process, and a child that shares its memory, are the same caller (kcmp(2)); a forked child is
/// another, and so is a process after an exec. Supervisor's thread only.
struct ClientTable {
    private struct Client {
        let caller: SimulatedCaller
        /// The thread that called first.
        let thread: Int32
        /// The process it was of.
        let process: Int32
        /// `/proc/PID/mem`, which is of this address space for ever: it gives nothing once that is gone.
        let memory: FileDescriptor?
    }

    private var clients: [Client] = []

    /// Who calls by `thread`.
    mutating func caller(thread: Int32) -> SimulatedCaller {
        forgetTheDead()
        let process = CallerProcess(thread: thread)
        let leader = clinux_leader(thread)
        for client in clients where Self.isSame(client, thread, leader) {
            return client.caller.calling(from: process)
        }
        let memory = try? FileDescriptor.open(
            FilePath("/proc/\(thread)/mem"), .readOnly, options: .closeOnExec, retryOnInterrupt: false)
        let caller = SimulatedCaller.another(in: process)
        clients.append(Client(caller: caller, thread: thread, process: leader, memory: memory))
        return caller
    }

    /// Lets go of whatever is known.
    mutating func forget() {
        for client in clients { try? client.memory?.close() }
        clients = []
    }

    private static func isSame(_ client: Client, _ thread: Int32, _ leader: Int32) -> Bool {
        switch clinux_same_memory(client.thread, thread) {
        case 1: true
        case 0: false
        // The first thread has ended, or this machine does not compare: the process tells.
        default: leader > 0 && client.process == leader
        }
    }

    private mutating func forgetTheDead() {
        clients.removeAll { client in
            guard let memory = client.memory, clinux_memory_is_gone(memory.rawValue) == 1 else {
                return false
            }
            try? memory.close()
            return true
        }
    }
}
