/// What a run's last wait, that for the frames on their way, came to.
package struct RunSettlement: Equatable, Sendable {
    /// It was given up before the run's patience was over, as somebody wanted the end or the device was gone.
    package let wasHurried: Bool
    /// Frames that were in the transmit rings when it began, and that the device had not taken when it was given up.
    package let standing: UInt64

    /// Of a wait that was not given up: nothing stands anywhere.
    package init(wasHurried: Bool = false, standing: UInt64 = 0) {
        self.wasHurried = wasHurried
        self.standing = standing
    }
}
