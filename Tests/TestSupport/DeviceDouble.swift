package import SystemPackage
package import VhostVDPA

/// A character device of a test's own: what it does not answer itself is refused, as a file refuses it that is closed.
package protocol DeviceDouble: CharacterDevice {}

extension DeviceDouble {
    package func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 { throw .badFileDescriptor }
    package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int { throw .badFileDescriptor }
    package func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer { throw .badFileDescriptor }
    package func close() {}
}

/// One that stands before another device and passes on what it does not answer itself.
package protocol DeviceInterposer: DeviceDouble {
    var wrapped: any CharacterDevice { get }
}

extension DeviceInterposer {
    package func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        try wrapped.ioctl(request, argument)
    }
    package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        unsafe try wrapped.write(bytes)
    }
    package func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer {
        unsafe try wrapped.map(length: length, protection: protection, flags: flags, offset: offset)
    }
    package func close() { wrapped.close() }
}
