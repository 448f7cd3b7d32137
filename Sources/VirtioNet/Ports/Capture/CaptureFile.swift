internal import Glibc
internal import LinuxHost
package import SystemPackage
internal import WorkerRuntime

/// A pcapng file that several threads hand packets to, and that a thread of its own writes, whole packets at a time.
///
/// Opening it leaves what is in it: ``begin()`` empties it. Nothing is written but batches of blocks. A write that is
/// refused, and a file that does not take what passes in time, end the recording: a regular file is cut to its last whole
/// packet, and what comes later is only counted.
package final class CaptureFile: Sendable {
    /// Why packets are missing.
    package enum Failure: Equatable, Sendable, CustomStringConvertible {
        /// The kernel refused a write.
        case refused(Errno)
        /// The disk, or whoever reads a pipe, did not take the packets as they came.
        case behind
        /// The file is not what was written to it.
        case changed
        /// The file has no name any more.
        case removed
        /// The file's name is another's, or nobody's.
        case moved

        package var description: String {
            switch self {
            case .refused(let errno): "\(errno)"
            case .behind: "what takes it, a disk or a pipe's reader, was slower than the frames"
            case .changed:
                "it has not what was written to it: somebody else changed it, or it keeps nothing"
            case .removed: "somebody removed the file meanwhile"
            case .moved: "somebody moved the file meanwhile, or put another in its place"
            }
        }
    }

    /// What became of the packets so far.
    package struct Outcome: Equatable, Sendable {
        /// Packets that the kernel has taken.
        package var recorded: UInt64
        /// Packets that are not in the file and never will be.
        package var unrecorded: UInt64
        /// Why; `nil` while none was refused or came too late.
        package var failure: Failure?

        package init(recorded: UInt64 = 0, unrecorded: UInt64 = 0, failure: Failure? = nil) {
            self.recorded = recorded
            self.unrecorded = unrecorded
            self.failure = failure
        }
    }

    /// The file's name, as it was given.
    package let path: String
    /// Whether there is something in the file that ``begin()`` loses.
    package let overwrites: Bool
    private let interfaces: [String]
    private let kind: CaptureTarget.Kind
    /// The file as it was opened, where there was none of its name.
    private let made: FileIdentity?
    /// The file, until its thread has it.
    private let target: TransferBox<CaptureTarget>
    let queue: CaptureQueue
    let blocks: CaptureBlocks

    /// Opens the file, or makes it, and leaves what is in it. A packet belongs to one of `interfaces`, by its number.
    ///
    /// - Throws: ``PortError/Code/capture`` where the file cannot be written to, another capture writes to it, nobody reads
    ///   the pipe, or it is neither a regular file nor a pipe nor like /dev/null.
    package init(path: String, interfaces: [String]) throws(PortError) {
        self.path = path
        self.interfaces = interfaces
        do throws(Errno) {
            blocks = try CaptureBlocks(count: CaptureQueue.blockCount(writers: interfaces.count))
        } catch {
            let advice = Shortage.advice(error).map { ": \($0)" } ?? ""
            throw .capture(path, "has no memory for packets on their way\(advice)", error)
        }
        let target = try CaptureTarget(path: path)
        kind = target.kind
        overwrites = target.kind == .regular && !target.wasMade
        made = target.wasMade ? target.identity : nil
        self.target = TransferBox(target)
        queue = CaptureQueue(writers: interfaces.count)
    }

    deinit {
        withdraw()
        finish()
    }

    /// Empties the file, as `tcpdump -w` does it, writes what a capture begins with and starts the thread that writes the
    /// packets. What was recorded before is not lost. Once.
    ///
    /// - Throws: ``PortError/Code/capture`` where the file does not take its first bytes: a pipe within a second, a regular
    ///   file, of which there may be much to empty, within a minute.
    package func begin() throws(PortError) {
        let (transfer, queue, blocks) = (target, queue, blocks)
        let prologue =
            PcapngBlocks.sectionHeader(application: "emu")
            + interfaces.flatMap { PcapngBlocks.interface(name: $0) }
        do throws(WorkerThread.StartFailure<Never>) {
            try WorkerThread.start(name: "capture") { () throws(Never) -> CaptureDrain in
                guard let target = transfer.take() else { preconditionFailure("a capture begins once") }
                return CaptureDrain(target: target, queue: queue, blocks: blocks, prologue: prologue)
            } run: { drain in
                drain.run()
            }
        } catch {
            withdraw()
            throw .capture(path, "\(error)", nil)
        }
        switch queue.awaitBeginning(atMost: kind == .pipe ? .seconds(1) : .seconds(60)) {
        case .done?: return
        case .refused(let errno)?:
            remove()
            throw .capture(path, "cannot be written to", errno)
        case nil:
            remove()
            let cause =
                kind == .pipe ? "whoever reads it does not read" : "emptying it takes longer than a minute"
            throw .capture(path, "takes nothing: \(cause)", nil)
        }
    }

    /// How a port's end is to record packets of interface `number`, from one thread.
    package func writer(_ number: Int) -> CaptureWriter {
        precondition(interfaces.indices.contains(number), "a capture has no such interface")
        return CaptureWriter(self, interface: UInt32(number))
    }

    /// What became of the packets so far, those still in a writer or on their way to the file not counted. Any thread.
    package var outcome: Outcome { queue.outcome }

    /// Returns when the file has all that was handed over, and is closed; or when it does not take it, for half a second or
    /// in more than one: that is unrecorded then, as is what comes later. At once where nothing was begun. Any thread.
    package func finish() {
        queue.finish()
    }

    /// Gives a file up that ``begin()`` has not emptied: it stays as it was, and one that was not there goes. Any thread.
    package func withdraw() {
        guard target.take() != nil else { return }
        remove()
    }

    /// Takes a file away that this capture has made.
    private func remove() {
        guard let made, FileIdentity(path: path) == made else { return }
        _ = unsafe unlink(path)
    }
}
