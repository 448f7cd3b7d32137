internal import CLinux
internal import Glibc
internal import SystemPackage

/// A program some of whose system calls are answered here, with whatever it starts itself.
///
/// When this process ends, the program does (PR_SET_PDEATHSIG). Supervisor's thread only.
struct SupervisedProgram: ~Copyable {
    /// What there is to do.
    enum Event {
        /// A call waits for its answer.
        case call(CallNotification)
        /// Nothing has happened for a while.
        case nothing
        /// Nobody is left who could make a call.
        case ended
    }

    let process: Int32
    private let listener: FileDescriptor

    /// Starts `words`, a program that is looked for in PATH and its arguments, with `devices` for the numbers of device
    /// descriptors and `signals` as they are for it at the start. Throws what fork(2), seccomp(2) or execve(2) is refused with.
    init(
        _ words: [String], devices: Range<Int32>, signals: InheritedSignals
    ) throws(ForeignProgramError) {
        var started = clinux_supervised(process: 0, listener: -1)
        var socket: Int32 = -1
        let range = clinux_descriptor_range(
            first: UInt32(devices.lowerBound), count: UInt32(devices.count))
        let result = unsafe CArguments(words).withPointer { arguments in
            unsafe clinux_start_supervised(
                arguments, range, clinux_signals(blocked: signals.blocked, ignored: signals.ignored),
                &started, &socket)
        }
        guard result == 0 else {
            throw ForeignProgramError(.notSupervised, Errno(rawValue: -result), program: words[0])
        }
        defer { try? FileDescriptor(rawValue: socket).close() }
        var (word, descriptor): (Int32, Int32) = (0, -1)
        // The other end is closed by an exec that succeeds.
        if unsafe clinux_receive_descriptor(socket, &word, &descriptor) == 1 {
            var status: Int32 = 0
            while unsafe clinux_reap(started.process, &status) == 0 { clinux_pause(1) }
            try? FileDescriptor(rawValue: started.listener).close()
            throw ForeignProgramError(.notStarted, Errno(rawValue: -word), program: words[0])
        }
        process = started.process
        listener = FileDescriptor(rawValue: started.listener)
    }

    deinit { try? listener.close() }

    /// The next event, after `milliseconds` at the most.
    borrowing func next(milliseconds: Int32) -> Event {
        switch clinux_await_notification(listener.rawValue, milliseconds) {
        case 1:
            var notification = clinux_notification()
            // A caller that a signal has called away waits no more.
            guard unsafe clinux_receive_notification(listener.rawValue, &notification) == 0 else {
                return .nothing
            }
            return .call(CallNotification(notification))
        case 2: return .ended
        default: return .nothing
        }
    }

    /// How the program itself has ended, once; `nil` while it runs. What it has left behind is waited for as well.
    borrowing func takeEnd() -> ProgramEnd? {
        var status: Int32 = 0
        guard unsafe clinux_reap(process, &status) == 1 else { return nil }
        return clinux_exited(status) != 0
            ? .status(clinux_exit_code(status)) : .signal(clinux_ending_signal(status))
    }

    /// How the program itself ends.
    borrowing func awaitEnd() -> ProgramEnd {
        while true {
            if let end = takeEnd() { return end }
            clinux_pause(1)
        }
    }

    /// Whether the caller still waits, so that what was read of its memory was its own.
    borrowing func stillWaits(_ call: CallNotification) -> Bool {
        clinux_check_notification(listener.rawValue, call.identifier) == 0
    }

    // An answer that nobody waits for any more is lost, as the kernel loses it.

    borrowing func answer(_ call: CallNotification, _ value: Int64) {
        _ = clinux_answer_notification(listener.rawValue, call.identifier, value, 0)
    }

    borrowing func refuse(_ call: CallNotification, _ error: Errno) {
        _ = clinux_answer_notification(listener.rawValue, call.identifier, 0, -error.rawValue)
    }

    /// Has the kernel make the call as it stands.
    borrowing func pass(_ call: CallNotification) {
        _ = clinux_continue_notification(listener.rawValue, call.identifier)
    }

    /// Answers with a descriptor of `file`, the caller's `number`: EMFILE or EBADF where it may not have one so high.
    borrowing func answer(
        _ call: CallNotification, with file: FileDescriptor, as number: Int32, closesOnExec: Bool
    ) throws(Errno) {
        let result = clinux_answer_with_number(
            listener.rawValue, call.identifier, file.rawValue, UInt32(number), closesOnExec ? 1 : 0)
        guard result >= 0 else { throw Errno(rawValue: -result) }
    }
}

extension SupervisedProgram {
    /// Sends the program the signal, unless it has it already: a terminal's goes to all of a process group.
    borrowing func pass(_ signal: PassedSignal) {
        guard !signal.isGroups || getpgid(process) != getpgrp() else { return }
        kill(process, signal.number)
    }

    /// Puts a descriptor of `file` in the place of the caller's `number`, while the call goes on waiting.
    borrowing func replace(_ number: Int32, with file: FileDescriptor, in call: CallNotification)
        throws(Errno)
    {
        let result = clinux_replace_descriptor(
            listener.rawValue, call.identifier, file.rawValue, UInt32(bitPattern: number))
        guard result == 0 else { throw Errno(rawValue: -result) }
    }

    /// Answers with a descriptor of `file`, the lowest that is free.
    borrowing func answer(
        _ call: CallNotification, with file: FileDescriptor, closesOnExec: Bool
    ) throws(Errno) {
        let result = clinux_answer_with_descriptor(
            listener.rawValue, call.identifier, file.rawValue, closesOnExec ? 1 : 0)
        guard result >= 0 else { throw Errno(rawValue: -result) }
    }
}

/// How a program has ended.
package enum ProgramEnd: Hashable, Sendable {
    case status(Int32)
    case signal(Int32)
}
