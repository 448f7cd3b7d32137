internal import GuestMemory
package import SystemPackage
internal import VhostVDPA

/// A call on a vhost-vdpa file as a step, with its answer: addresses and descriptors are the numbers that the process gave.
package struct DecodedCall {
    /// What was done to the file, which is ``ScriptName/device``.
    package let step: ScriptStep
    /// What it came to.
    package let answer: ScriptAnswer

    /// Makes an `ioctl(2)` of `process` by `perform` and decodes it.
    package static func ioctl(
        _ request: UInt, _ argument: UInt, of process: RecordedProcess, by caller: ScriptCaller = .process,
        _ perform: () throws(Errno) -> Int32
    ) -> (result: Result<Int32, Errno>, call: DecodedCall) {
        let call = RecordedRequest(number: request, address: argument, of: process)
        let result = Result { () throws(Errno) in try perform() }
        let decoded = call.argument { number, _ in
            number == -1 ? .none : .eventFD(ScriptName(stringLiteral: "fd\(UInt32(bitPattern: number))"))
        }
        let script = ScriptRequest(
            number: request, decoded ?? .pointer(.number(HostAddress(rawValue: UInt64(argument)))))
        let answer: ScriptAnswer =
            switch result {
            case .failure(let error): .error(error)
            case .success: decoded == nil ? .ok : call.answer()
            }
        return (result, DecodedCall(step: .request(script, file: .device, by: caller), answer: answer))
    }

    /// Makes a `write(2)` of `process` by `perform` and decodes it.
    package static func write(
        at address: UInt, byteCount: Int, of process: RecordedProcess, _ perform: () throws(Errno) -> Int
    ) -> (result: Result<Int, Errno>, call: DecodedCall) {
        // No message is longer; what stands behind one is not looked at.
        let bytes = process.all(min(byteCount, Self.messageLimit), at: address)
        let result = Result { () throws(Errno) in try perform() }
        let answer: ScriptAnswer =
            switch result {
            // sizeof(struct vhost_msg_v2), of any message (drivers/vhost/vhost.c, vhost_chr_write_iter).
            case .success(72): .ok
            case .success(let count): .number(UInt64(count))
            case .failure(let error): .error(error)
            }
        let message = bytes.flatMap { bytes in
            ScriptMessage(decoding: bytes) { address, _ in .number(HostAddress(rawValue: address)) }
        }
        let step: ScriptStep =
            if let message {
                .message(message, file: .device)
            } else if let bytes {
                .write(bytes, file: .device)
            } else {
                .writeFrom(
                    .number(HostAddress(rawValue: UInt64(address))), byteCount: byteCount, file: .device)
            }
        return (result, DecodedCall(step: step, answer: answer))
    }

    private static let messageLimit = 72
}
