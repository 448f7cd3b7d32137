package import SystemPackage

/// A call of the VDUSE interface that failed.
package struct VDUSEError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What failed, for a program to tell apart.
    package enum Code: Hashable, Sendable {
        /// VDUSE cannot be used here: no module, no permission.
        case unavailable
        /// The device could not be made.
        case create
        /// The device is attached to the vDPA bus, or another process serves it.
        case inUse
        /// The device that is there is not one that this description makes.
        case otherDevice
        /// The kernel has given the device up: a message was not answered in time.
        case broken
        /// Any other call on the device.
        case call
        /// A region of the driver's memory could not be mapped.
        case map
    }

    package let code: Code
    /// The call, as `VDUSE_VQ_GET_INFO(queue: 1)`.
    package let call: String
    /// What the kernel answered; `nil` where it was not asked, or the answer itself is wrong.
    package let errno: Errno?
    /// What it means and what to do, where the errno alone does not say.
    package let context: String?

    package init(_ code: Code, call: String, errno: Errno?, context: String? = nil) {
        self.code = code
        self.call = call
        self.errno = errno
        self.context = context
    }

    /// Call, answer and meaning in one line.
    package var description: String {
        ([call] + [errno.map { "\($0) (errno \($0.rawValue))" }, context].compactMap(\.self))
            .joined(separator: ": ")
    }
}
