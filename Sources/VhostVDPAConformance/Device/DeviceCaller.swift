package import SystemPackage
package import VhostVDPA

/// A process at a device: raw requests and messages, and the errno each gives; `nil` is success.
package protocol DeviceCaller {
    /// The device's open file.
    var callee: any CharacterDevice { get }
}

extension DeviceCaller {
    package func map(length: Int, protection: Int32, flags: Int32) -> Result<UnsafeMutableRawPointer, Errno> {
        do throws(Errno) {
            return unsafe .success(
                try callee.map(length: length, protection: protection, flags: flags, offset: 0))
        } catch {
            return unsafe .failure(error)
        }
    }

    package func call(_ request: UInt, address: UInt = 0) -> Errno? {
        do throws(Errno) {
            do throws(Errno) {
                _ = try callee.ioctl(request, address)
            } catch {
                _ = try callee.ioctlAgain(request, address, after: error)
            }
            return nil
        } catch {
            return error
        }
    }

    package func call(_ request: UInt, bytes: inout [UInt8]) -> Errno? {
        unsafe bytes.withUnsafeMutableBytes { buffer in
            call(request, address: UInt(bitPattern: buffer.baseAddress))
        }
    }

    package func call(_ request: UInt, _ value: some FixedWidthInteger) -> Errno? {
        var bytes = Self.bytes(value)
        return call(request, bytes: &bytes)
    }

    /// The little-endian number in the `count` bytes a request stores.
    package func get(_ request: UInt, count: Int) -> Result<UInt64, Errno> {
        var bytes = [UInt8](repeating: 0, count: count)
        if let error = call(request, bytes: &bytes) { return .failure(error) }
        return .success(bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }

    // MARK: status and configuration

    package func setStatus(_ status: UInt8) -> Errno? { call(Request.setStatus, status) }

    /// Features, and status up to `status` (0xb or 0xf), one step after the other.
    package func setStatus(upTo status: UInt8, features: UInt64) throws(RuleInterruption) {
        try expect("SET_STATUS 3", setStatus(3))
        try expect("SET_FEATURES", call(Request.setFeatures, features))
        if status & 8 != 0 { try expect("SET_STATUS 0xb", setStatus(0xb)) }
        if status & 4 != 0 { try expect("SET_STATUS 0xf", setStatus(0xf)) }
    }

    package func acknowledge(_ backendFeatures: UInt64) -> Errno? {
        call(Request.setBackendFeatures, backendFeatures)
    }

    package func getConfiguration(offset: UInt32, length: UInt32) -> Result<[UInt8], Errno> {
        var bytes = Self.bytes(offset) + Self.bytes(length) + [UInt8](repeating: 0, count: Int(length) + 8)
        if let error = call(Request.getConfig, bytes: &bytes) { return .failure(error) }
        return .success(Array(bytes[8..<8 + Int(length)]))
    }

    // MARK: vrings

    package func setVring(_ request: UInt, _ index: UInt32, _ number: UInt32) -> Errno? {
        call(request, UInt64(index) | UInt64(number) << 32)
    }

    package func setVring(_ request: UInt, _ index: UInt32, file descriptor: Int32) -> Errno? {
        setVring(request, index, UInt32(bitPattern: descriptor))
    }

    /// The second word of a `struct vhost_vring_state` that a request fills in.
    package func getVring(_ request: UInt, _ index: UInt32) -> Result<UInt32, Errno> {
        var bytes = Self.bytes(UInt64(index))
        if let error = call(request, bytes: &bytes) { return .failure(error) }
        return .success(bytes[4...].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }

    /// `struct vhost_vring_addr`: used comes before avail.
    package func setAddresses(
        _ index: UInt32, flags: UInt32 = 0, descriptors: UInt64 = 0x1000, used: UInt64 = 0x3000,
        avail: UInt64 = 0x2000, log: UInt64 = 0
    ) -> Errno? {
        var bytes =
            Self.bytes(index) + Self.bytes(flags) + Self.bytes(descriptors) + Self.bytes(used)
            + Self.bytes(avail) + Self.bytes(log)
        return call(Request.setVringAddr, bytes: &bytes)
    }

    // MARK: messages

    /// 40 bytes: `struct vhost_msg_v2` up to the end of the message's own.
    package static func message(
        _ kind: UInt8, iova: UInt64 = 0, size: UInt64 = 0, user: UInt = 0, permission: UInt8 = 3,
        asid: UInt32 = 0, outer: UInt32 = 2
    ) -> [UInt8] {
        bytes(outer) + bytes(asid) + bytes(iova) + bytes(size) + bytes(UInt64(user))
            + [permission, kind] + [UInt8](repeating: 0, count: 6)
    }

    package func write(_ bytes: [UInt8]) -> Result<Int, Errno> {
        unsafe bytes.withUnsafeBytes { buffer in
            do throws(Errno) {
                return .success(try unsafe callee.write(buffer))
            } catch {
                return .failure(error)
            }
        }
    }

    package func send(
        _ kind: MessageKind, iova: UInt64 = 0, size: UInt64 = 0, user: UInt = 0, permission: UInt8 = 3,
        asid: UInt32 = 0
    ) -> Errno? {
        let bytes = Self.message(
            kind.rawValue, iova: iova, size: size, user: user, permission: permission, asid: asid)
        switch write(bytes) {
        case .success: return nil
        case .failure(let error): return error
        }
    }

    /// Maps all of `pages`, or the first of them, at `iova`.
    package func update(
        _ iova: UInt64, _ pages: TestPages, count: Int? = nil, permission: UInt8 = 3, asid: UInt32 = 0
    ) -> Errno? {
        let size = UInt64(count.map { $0 * TestPages.pageSize } ?? pages.byteCount)
        return send(
            .update, iova: iova, size: size, user: pages.address, permission: permission, asid: asid)
    }

    package static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}
