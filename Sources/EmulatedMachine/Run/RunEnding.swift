/// Why a run ended.
package enum RunEnding: Equatable, Sendable {
    /// It has done what its plan asks for.
    case done
    /// Its time was up before it had done what its plan asks for.
    case timeWasUp
    /// Frames that its plan waits for have stayed out for as long as the plan has patience.
    case stalled
    /// Somebody asked it to end.
    case interrupted
    /// The real device that it drives has been removed.
    case deviceWentAway
    /// It broke off, and why. The device has not been stopped in order then, and the accounts say how far it came.
    case brokeOff(String)
}
