internal import CLinux
internal import CProcessStart
internal import ForeignPrograms

/// What the process settles before it does anything else, and what it was started with.
enum ProcessStart {
    /// Takes closed standard streams, has a failing write answer instead of ending the process, SIGQUIT end it, and holds
    /// the other signals back until somebody waits for them. First thing in `main`.
    ///
    /// A closed stream would otherwise be the next file opened: guest RAM, into which messages are then written.
    static func settle() {
        clinux_ignore_write_signals()
        clinux_quit_as_usual()
        TerminationSignals.block()
        // Without "/" there is nothing to put there, nobody to tell, and no file that could be opened either.
        _ = clinux_open_closed_streams()
    }

    /// The arguments after the program's name.
    static let arguments: [String] = (0..<cprocess_argument_count()).dropFirst().map { index in
        unsafe String(cString: cprocess_argument(index))
    }

    /// The signals as they were before ``settle()``: what a program that is started inherits.
    static var inheritedSignals: InheritedSignals {
        InheritedSignals(blocked: cprocess_blocked_signals(), ignored: cprocess_ignored_signals())
    }
}
