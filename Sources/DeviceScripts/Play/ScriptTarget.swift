public import SystemPackage
public import VhostVDPA

/// The device that a script is played on.
public struct ScriptTarget {
    /// Opens it: a new file each time, with open's errno.
    public var open: () throws(Errno) -> any CharacterDevice
    /// Makes an ioctl as a forked child does; answers the errno, or `nil` for success. `nil` where there is no way.
    public var callFromChild: ((any CharacterDevice, UInt, UInt) -> Errno?)?
    /// Returns when the device has done everything that it is going to do by itself; `nil` where only time can tell:
    /// until the script's memory has not changed for ``quietMilliseconds``.
    public var settle: (() -> Void)?
    /// How long memory is to stay as it is until the device counts as at rest.
    public var quietMilliseconds: Int
    /// Whether somebody asks to end: the steps that are left are not made.
    public var isInterrupted: () -> Bool

    /// A device that `open` opens.
    public init(
        quietMilliseconds: Int = 10, settle: (() -> Void)? = nil,
        callFromChild: ((any CharacterDevice, UInt, UInt) -> Errno?)? = nil,
        isInterrupted: @escaping () -> Bool = { false },
        open: @escaping () throws(Errno) -> any CharacterDevice
    ) {
        self.open = open
        self.callFromChild = callFromChild
        self.settle = settle
        self.quietMilliseconds = quietMilliseconds
        self.isInterrupted = isInterrupted
    }
}
